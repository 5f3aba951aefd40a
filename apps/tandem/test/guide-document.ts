/** What a guide has its reader type at once, and what it says is then to be seen. */
export interface GuideStep {
  /** `first`, `second` and so on; undefined: the one for everything that ends by itself. */
  readonly terminal: string | undefined;
  readonly lines: readonly string[];
  /** `…` stands for anything; undefined when the guide says nothing. */
  readonly expected: string | undefined;
}

interface Fence {
  readonly language: string;
  readonly text: string;
}

const TERMINAL = /^# (?<terminal>\w+) terminal$/;

/** The steps of a guide: its blocks of `sh`, each with the block of `text` that follows it. */
export function guideSteps(document: string): GuideStep[] {
  const fences = fencesOf(document).filter(({ language }) => language !== 'yaml');
  return fences.flatMap(({ language, text }, index) => {
    if (language !== 'sh') return [];
    const next = fences[index + 1];
    const [first = '', ...rest] = text.trimEnd().split('\n');
    const terminal = TERMINAL.exec(first)?.groups?.['terminal'];
    return [
      {
        terminal,
        lines: terminal === undefined ? [first, ...rest] : rest,
        expected: next?.language === 'text' ? next.text : undefined,
      },
    ];
  });
}

/** The blocks of that language. */
export function guideBlocks(document: string, language: string): string[] {
  return fencesOf(document).flatMap((fence) => (fence.language === language ? [fence.text] : []));
}

/** Whether a text is what a guide says is to be seen. */
export function matchesGuide(expected: string, actual: string): boolean {
  const escaped = expected.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('…', '.*')}$`, 's').test(actual.trim());
}

function fencesOf(document: string): Fence[] {
  return [...document.matchAll(/^```(?<language>\w+)\n(?<text>[^]*?)^```$/gm)].map(
    ({ groups }) => ({
      language: groups?.['language'] ?? '',
      text: groups?.['text'] ?? '',
    }),
  );
}
