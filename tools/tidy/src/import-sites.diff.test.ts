import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parseAst } from 'vitest/node';
import { importSites } from './import-sites.ts';
import { readRepository } from './read-repository.ts';
import { isSource } from './repository.ts';
import { codeTokensOf } from './source-tokens.ts';

const DECLARATIONS = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
]);

/** The specifiers of all import and export declarations, as a real parser sees them. */
function parsedSpecifiers(text: string, isTsx: boolean): string[] {
  const { body } = parseAst(text, { lang: isTsx ? 'tsx' : 'ts' });
  return body.flatMap((statement) => {
    if (!DECLARATIONS.has(statement.type) || !('source' in statement)) return [];
    return typeof statement.source?.value === 'string' ? [statement.source.value] : [];
  });
}

it('finds the declarations that a parser finds, in every file here', () => {
  const repository = readRepository(fileURLToPath(new URL('../../..', import.meta.url)));
  let files = 0;
  for (const [path, text] of repository) {
    if (!isSource(path)) continue;
    const sites = importSites(codeTokensOf(repository, path)).filter(
      ({ kind }) => kind === 'value' || kind === 'type',
    );
    const specifiers = sites.map(({ specifier }) => specifier);
    expect({ path, specifiers }).toEqual({
      path,
      specifiers: parsedSpecifiers(text, path.endsWith('x')),
    });
    files += 1;
  }
  expect(files).toBeGreaterThan(30);
}, 60_000);
