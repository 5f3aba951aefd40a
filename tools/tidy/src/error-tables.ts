import { parseMarkdown, tableCells } from './markdown.ts';
import { isSource, isTest, type Repository, type Violation } from './repository.ts';
import { codeTokensOf } from './source-tokens.ts';
import type { Token } from './tokens.ts';

export const ERROR_DOCUMENT = 'docs/reference/errors.md';
const TABLE_NAME = /^(?:[A-Z_]+_)?ERROR_CODES$|^DROP_REASONS$/;

/** A table of codes in the program. */
export interface ErrorTable {
  /** The constant's name. */
  readonly name: string;
  readonly path: string;
  readonly codes: readonly ErrorCode[];
}

export interface ErrorCode {
  readonly code: string;
  /** The HTTP status, if the table says one. */
  readonly status: string | undefined;
  readonly meaning: string;
}

/** Every exported constant named `ERROR_CODES`, `…_ERROR_CODES` or `DROP_REASONS`. */
export function errorTables(repository: Repository): ErrorTable[] {
  const tables: ErrorTable[] = [];
  for (const path of repository.keys()) {
    const inProgram = /^(?:packages|apps)\/[^/]+\/src\//.test(path);
    if (!inProgram || !isSource(path) || isTest(path)) continue;
    const tokens = codeTokensOf(repository, path);
    for (const [index, token] of tokens.entries()) {
      const declared = tokens[index - 1]?.text === 'const' && tokens[index - 2]?.text === 'export';
      if (!declared || !TABLE_NAME.test(token.text)) continue;
      tables.push({ name: token.text, path, codes: codesAfter(tokens, index) });
    }
  }
  return tables.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * `docs/reference/errors.md` and the program list the same codes with the same meanings. In the
 * document, a table belongs to the last constant that the text before it names in inline code.
 */
export function errorTableViolations(repository: Repository): Violation[] {
  const documented = documentedRows(repository.get(ERROR_DOCUMENT) ?? '');
  const violations: Violation[] = [];
  const seen = new Set<string>();
  for (const table of errorTables(repository)) {
    if (table.codes.length === 0) {
      violations.push({ path: table.path, message: `${table.name} has no codes` });
    }
    for (const code of table.codes) {
      const row = rowOf(table, code);
      seen.add(row);
      if (documented.has(row)) continue;
      violations.push({ path: table.path, message: `${ERROR_DOCUMENT} lacks the row '${row}'` });
    }
  }
  for (const [row, line] of documented) {
    if (seen.has(row)) continue;
    violations.push({ path: ERROR_DOCUMENT, line, message: `no table has the row '${row}'` });
  }
  return violations;
}

/** The document's section on `table`, without its heading. */
export function errorSection(table: ErrorTable): string {
  const hasStatus = table.codes.some(({ status }) => status !== undefined);
  const head = hasStatus
    ? ['| code | status | meaning |', '|---|---|---|']
    : ['| code | meaning |', '|---|---|'];
  const rows = table.codes.map(({ code, status, meaning }) => {
    const text = meaning.replaceAll('|', String.raw`\|`);
    return hasStatus ? `| \`${code}\` | ${status ?? ''} | ${text} |` : `| \`${code}\` | ${text} |`;
  });
  return [`\`${table.name}\` in \`${table.path}\`:`, '', ...head, ...rows].join('\n');
}

function rowOf(table: ErrorTable, { code, status, meaning }: ErrorCode): string {
  return [table.path, table.name, code, ...(status === undefined ? [] : [status]), meaning].join(
    ' ',
  );
}

function documentedRows(text: string): Map<string, number> {
  const rows = new Map<string, number>();
  let table = '';
  for (const [index, line] of parseMarkdown(text).lines.entries()) {
    const named = /^`(?<name>[A-Z_]+)` in `(?<path>[^`]+)`/.exec(line)?.groups;
    if (named !== undefined) table = `${named.path} ${named.name}`;
    const cells = tableCells(line);
    const code = /^`(?<code>[^`]+)`$/.exec(cells?.[0] ?? '')?.groups?.code;
    if (cells === undefined || code === undefined) continue;
    rows.set([table, code, ...cells.slice(1)].join(' '), index + 1);
  }
  return rows;
}

/** The entries of the object literal that follows the name at `index`. */
function codesAfter(tokens: readonly Token[], index: number): ErrorCode[] {
  const open = tokens.findIndex(
    (token, at) => at > index && token.kind === 'mark' && token.text === '{',
  );
  const codes: ErrorCode[] = [];
  let depth = 0;
  for (let at = open; at >= 0 && at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined) break;
    if (token.kind === 'mark' && '{(['.includes(token.text)) depth += 1;
    if (token.kind === 'mark' && '})]'.includes(token.text)) depth -= 1;
    if (depth === 0) break;
    const isKey =
      depth === 1 && tokens[at + 1]?.text === ':' && '{,'.includes(tokens[at - 1]?.text ?? '');
    if (isKey) codes.push(codeAt(tokens, at));
  }
  return codes;
}

function codeAt(tokens: readonly Token[], key: number): ErrorCode {
  const code = tokens[key]?.text ?? '';
  const value = tokens[key + 2];
  if (value?.text !== '{' || value.kind !== 'mark') {
    return { code, status: undefined, meaning: stringAt(tokens, key + 2) };
  }
  const end = tokens.findIndex(
    (token, at) => at > key && token.kind === 'mark' && token.text === '}',
  );
  const field = (name: string): number =>
    tokens.findIndex(
      (token, at) =>
        at > key + 2 && at < end && token.text === name && tokens[at + 1]?.text === ':',
    );
  const status = field('status');
  const meaning = field('meaning');
  return {
    code,
    status: status === -1 ? undefined : tokens[status + 2]?.text,
    meaning: meaning === -1 ? '' : stringAt(tokens, meaning + 2),
  };
}

/** The string at `start`, with others that `+` adds to it. */
function stringAt(tokens: readonly Token[], start: number): string {
  let text = '';
  for (let at = start; ['string', 'template'].includes(tokens[at]?.kind ?? ''); at += 2) {
    const piece = tokens[at];
    text += piece?.kind === 'template' ? piece.text.slice(1, -1) : (piece?.text ?? '');
    if (tokens[at + 1]?.text !== '+') break;
  }
  return text;
}
