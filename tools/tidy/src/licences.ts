import { lockEntries } from './lockfile.ts';
import { parseMarkdown, tableCells } from './markdown.ts';
import type { Repository, Violation } from './repository.ts';

/** Licences under which others' work may be shipped with ours. */
const PERMISSIVE = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Python-2.0',
  'Unlicense',
  'Zlib',
]);
const LISTING = 'THIRD-PARTY.md';

/** Something of others' that is installed to run the product. */
export interface Shipped {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
}

/** All that the lock file installs for running, sorted by name and version. */
export function shippedPackages(repository: Repository): Shipped[] {
  const shipped = new Map<string, Shipped>();
  for (const [path, entry] of lockEntries(repository)) {
    const at = path.lastIndexOf('node_modules/');
    if (at === -1 || entry.link === true || entry.dev === true) continue;
    const name = path.slice(at + 'node_modules/'.length);
    const version = entry.version ?? '';
    shipped.set(`${name} ${version}`, { name, version, licence: entry.license ?? 'none' });
  }
  return [...shipped].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/** Everything shipped is under a permissive licence, and `THIRD-PARTY.md` lists it and no more. */
export function licenceViolations(repository: Repository): Violation[] {
  const shipped = shippedPackages(repository);
  const forbidden = shipped
    .filter(({ licence }) => !PERMISSIVE.has(licence))
    .map(({ name, version, licence }) => ({
      path: 'package-lock.json',
      message: `${name} ${version} is under '${licence}', which is not on the list`,
    }));
  const listed = new Set(listedRows(repository.get(LISTING) ?? ''));
  const expected = new Set(shipped.map(rowOf));
  const missing = [...expected].filter((row) => !listed.has(row)).map((row) => `lacks '${row}'`);
  const stale = [...listed]
    .filter((row) => !expected.has(row))
    .map((row) => `lists '${row}', which is not shipped`);
  return [...forbidden, ...[...missing, ...stale].map((message) => ({ path: LISTING, message }))];
}

/** The table of `THIRD-PARTY.md`, as text. */
export function licenceTable(shipped: readonly Shipped[]): string {
  const rows = shipped.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
  return ['| package | version | licence |', '|---|---|---|', ...rows].join('\n');
}

function rowOf({ name, version, licence }: Shipped): string {
  return `${name} ${version} ${licence}`;
}

function listedRows(text: string): string[] {
  return parseMarkdown(text).lines.flatMap((line) => {
    const cells = tableCells(line);
    return cells?.length === 3 && cells[0] !== 'package' ? [cells.join(' ')] : [];
  });
}
