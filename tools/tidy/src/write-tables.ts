import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ERROR_DOCUMENT, errorSection, errorTables } from './error-tables.ts';
import { licenceTable, shippedPackages } from './licences.ts';
import { readRepository } from './read-repository.ts';

/**
 * Rewrites the parts of documents that repeat the program: the tables of `THIRD-PARTY.md` and of
 * the error reference. Run it with `node tools/tidy/src/write-tables.ts` after changing either; the
 * text outside the markers is left alone.
 */
const root = fileURLToPath(new URL('../../..', import.meta.url));
const repository = readRepository(root);

replaceMarked('THIRD-PARTY.md', licenceTable(shippedPackages(repository)));
const sections = errorTables(repository).map((table) => errorSection(table));
replaceMarked(ERROR_DOCUMENT, sections.join('\n\n'));

function replaceMarked(document: string, text: string): void {
  const path = join(root, document);
  const before = readFileSync(path, 'utf8');
  const marked = /(<!-- begin: made by tools\/tidy -->)[\s\S]*(<!-- end -->)/;
  const after = before.replace(marked, (_, begin: string, end: string) =>
    [begin, text, end].join('\n\n'),
  );
  if (after !== before) writeFileSync(path, after);
}
