import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Alias,
  type Document,
  type Pair,
  type Scalar,
  type YAMLError,
} from 'yaml';
import { ConfigError } from './config-error.ts';
import type { ConfigNode, MapEntry, MapNode } from './config-node.ts';

/** A real configuration has a few hundred; aliases of aliases could make millions. */
const NODES_MAX = 10_000;
const DEPTH_MAX = 32;
const TEXT_CHARACTERS_MAX = 1_000_000;

/**
 * Reads the text of a configuration file, which is one YAML map. Values stay texts, so that `010`
 * and `1e3` are judged by the key they belong to. Variables are not filled in yet.
 *
 * @throws ConfigError `config_file` with the line and what to do.
 */
export function parseYamlTree(text: string, file: string): MapNode {
  if (text.length > TEXT_CHARACTERS_MAX) {
    throw new ConfigError('config_file', `${file} has more than a million characters.`, {
      hint: 'Check that the path names the configuration and not something else.',
    });
  }
  const lines = new LineCounter();
  const document = parseOrThrow(text, file, lines);
  const error = document.errors[0];
  if (error !== undefined) throw yamlFault(error, text, file);
  const root = new TreeReader(document, file, lines).read(document.contents, 1, 0);
  if (root.kind === 'map') return root;
  if (root.kind === 'scalar' && root.text === '') return { kind: 'map', entries: [], line: 1 };
  const found = root.kind === 'list' ? 'a list' : 'a single value';
  throw new ConfigError('config_file', `${file} holds ${found} where keys should be.`, {
    hint: "Write sections with keys, such as 'databases:' and below it '  folder: /data'.",
  });
}

function parseOrThrow(text: string, file: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseDocument(text, { lineCounter, uniqueKeys: true, logLevel: 'error' });
  } catch (error) {
    // The parser gives up by exception for what it cannot nest, among others.
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError('config_file', `${file} is not valid YAML (${firstLine(reason)}).`, {
      hint: 'Correct the file.',
      cause: error,
    });
  }
}

class TreeReader {
  readonly #document: Document.Parsed;
  readonly #file: string;
  readonly #lines: LineCounter;
  #nodeCount = 0;

  constructor(document: Document.Parsed, file: string, lines: LineCounter) {
    this.#document = document;
    this.#file = file;
    this.#lines = lines;
  }

  read(node: unknown, lineBefore: number, depth: number): ConfigNode {
    this.#nodeCount += 1;
    if (this.#nodeCount > NODES_MAX || depth > DEPTH_MAX) {
      throw new ConfigError(
        'config_file',
        `${this.#file}, line ${lineBefore}: values are nested too deep or repeated too often.`,
        { hint: 'Write the values out instead of repeating them with * and &.' },
      );
    }
    if (isAlias(node)) return this.#alias(node, lineBefore, depth);
    const line = this.#lineOf(node, lineBefore);
    if (isMap(node)) {
      return {
        kind: 'map',
        entries: node.items.map((pair) => this.#pair(pair, line, depth)),
        line,
      };
    }
    if (isSeq(node)) {
      const items = node.items.map((item) => this.read(item, line, depth + 1));
      return { kind: 'list', items, line };
    }
    const text = isScalar(node) ? scalarText(node) : null;
    return {
      kind: 'scalar',
      text: text ?? '',
      written: text ?? '',
      variables: [],
      isPresent: text !== null,
      line,
    };
  }

  #alias(alias: Alias, lineBefore: number, depth: number): ConfigNode {
    const line = this.#lineOf(alias, lineBefore);
    const target = alias.resolve(this.#document);
    if (target !== undefined) return this.read(target, line, depth + 1);
    throw new ConfigError(
      'config_file',
      `${this.#file}, line ${line}: '*${alias.source}' repeats something that stands nowhere before.`,
      { hint: `If it is meant as a text, put it in quotes: '*${alias.source}'.` },
    );
  }

  #pair(pair: Pair, lineBefore: number, depth: number): MapEntry {
    const line = this.#lineOf(pair.key, lineBefore);
    if (!isScalar(pair.key)) {
      throw new ConfigError('config_file', `${this.#file}, line ${line}: a key is not a word.`, {
        hint: "Write 'key: value'. A value that begins with { or [ needs quotes.",
      });
    }
    const key = scalarText(pair.key) ?? '';
    if (key === '<<') {
      throw new ConfigError('config_file', `${this.#file}, line ${line}: '<<' is not understood.`, {
        hint: 'Write the keys out.',
      });
    }
    return { key, line, node: this.read(pair.value, line, depth + 1) };
  }

  #lineOf(node: unknown, lineBefore: number): number {
    const hasRange = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node);
    const start = hasRange ? node.range?.[0] : undefined;
    if (start === undefined || start === null) return lineBefore;
    // What has no text of its own is placed where the parser stopped, maybe lines later.
    if (isScalar(node) && node.source === '' && node.type === 'PLAIN') return lineBefore;
    return Math.max(1, this.#lines.linePos(start).line);
  }
}

/** The text as its author wrote it; null when nothing stands there. */
function scalarText(node: Scalar): string | null {
  if (typeof node.value === 'string') return node.value;
  if (node.value === null) return null;
  return node.source ?? null;
}

const EXPLANATIONS: Partial<Record<YAMLError['code'], readonly [string, string]>> = {
  DUPLICATE_KEY: ['the same key stands there twice', 'Keep one of the two.'],
  TAB_AS_INDENT: ['a tab stands where YAML wants spaces', 'Replace the tab by spaces.'],
  MULTIPLE_DOCS: ['a second YAML document begins', "Remove the '---' and keep one document."],
};

function yamlFault(error: YAMLError, text: string, file: string): ConfigError {
  const line = error.linePos?.[0].line;
  const where = line === undefined ? file : `${file}, line ${line}`;
  const [what, hint] = EXPLANATIONS[error.code] ?? [
    `this is not valid YAML (${firstLine(error.message).replace(/ at line \d+.*$/, '')})`,
    hintFor(line === undefined ? '' : (text.split('\n')[line - 1] ?? '')),
  ];
  return new ConfigError('config_file', `${where}: ${what}.`, { hint, cause: error });
}

function hintFor(line: string): string {
  if (!line.includes('${')) return 'Correct the line.';
  return 'Correct the line: inside [ ] or { }, a value such as "${NAME}" needs quotes.';
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.replace(/:$/, '') ?? '';
}
