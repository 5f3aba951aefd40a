/** What the rules about documents need to know of one Markdown text. */
export interface Markdown {
  readonly headings: readonly Heading[];
  readonly links: readonly Link[];
  /** Inline code, with the text around it. */
  readonly codeSpans: readonly CodeSpan[];
  /** The text's lines with fenced blocks emptied, so that line numbers stay. */
  readonly lines: readonly string[];
}

export interface Heading {
  readonly text: string;
  /** The name by which a link reaches it, such as `first-steps`. */
  readonly anchor: string;
  readonly line: number;
}

export interface Link {
  readonly target: string;
  readonly line: number;
}

export interface CodeSpan {
  readonly text: string;
  readonly line: number;
  /** What stands between this span and the one before it on the same line, if there is one. */
  readonly gap: string | undefined;
}

const INLINE_LINK = /!?\[(?:[^\][]|\[[^\]]*\])*\]\(\s*<?(?<target>[^)\s>]*)>?(?:\s+"[^"]*")?\s*\)/g;
const REFERENCE = /^\s{0,3}\[[^\]]+\]:\s*<?(?<target>\S+?)>?(?:\s|$)/;
const HTML_ANCHOR = /<a\s+(?:id|name)="(?<name>[^"]+)"/g;

/** Reads headings, links and inline code; what stands in fenced blocks is no part of the text. */
export function parseMarkdown(text: string): Markdown {
  const lines = withoutFences(text);
  return {
    lines,
    headings: headingsOf(lines),
    links: lines.flatMap((line, index) => linksOf(line, index + 1)),
    codeSpans: lines.flatMap((line, index) => codeSpansOf(line, index + 1)),
  };
}

/** The cells of the table row `line`, or undefined when it is none or only separates. */
export function tableCells(line: string): string[] | undefined {
  const trimmed = line.trim();
  if (!trimmed.startsWith('|') || /^[|\s:-]+$/.test(trimmed)) return undefined;
  const inner = trimmed.replaceAll(/^\||\|$/g, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll(String.raw`\|`, '|'));
}

function withoutFences(text: string): string[] {
  let fence: string | undefined;
  return text.split('\n').map((line) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined && mark !== undefined) {
      fence = mark;
      return '';
    }
    if (fence === undefined) return line;
    if (mark?.startsWith(fence) === true) fence = undefined;
    return '';
  });
}

function headingsOf(lines: readonly string[]): Heading[] {
  const headings: Heading[] = [];
  const seen = new Map<string, number>();
  for (const [index, line] of lines.entries()) {
    const text = /^#{1,6}\s+(?<text>.*?)\s*#*$/.exec(line)?.groups?.text;
    if (text !== undefined) {
      const base = anchorOf(text);
      const count = seen.get(base) ?? 0;
      seen.set(base, count + 1);
      headings.push({ text, anchor: count === 0 ? base : `${base}-${count}`, line: index + 1 });
    }
    for (const match of line.matchAll(HTML_ANCHOR)) {
      headings.push({ text: '', anchor: match.groups?.name ?? '', line: index + 1 });
    }
  }
  return headings;
}

/** The anchor that GitHub, GitLab and Gitea give a heading. */
function anchorOf(heading: string): string {
  const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '');
  return plain
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');
}

function linksOf(line: string, number: number): Link[] {
  const prose = line.replaceAll(/(`+)(?:(?!\1).)*\1/g, (code) => 'x'.repeat(code.length));
  const targets = [...prose.matchAll(INLINE_LINK)].map((match) => match.groups?.target ?? '');
  const reference = REFERENCE.exec(prose)?.groups?.target;
  if (reference !== undefined) targets.push(reference);
  return targets.map((target) => ({ target, line: number }));
}

function codeSpansOf(line: string, number: number): CodeSpan[] {
  const spans: CodeSpan[] = [];
  let end: number | undefined;
  for (const match of line.matchAll(/(`+)((?:(?!\1).)+)\1/g)) {
    const gap = end === undefined ? undefined : line.slice(end, match.index);
    spans.push({ text: (match[2] ?? '').trim(), line: number, gap });
    end = match.index + match[0].length;
  }
  return spans;
}
