import { describe, expect, it } from 'vitest';
import { recordViolations } from './decision-records.ts';
import { licenceTable, licenceViolations, shippedPackages } from './licences.ts';
import { lockViolations } from './lockfile.ts';
import { manifestViolations } from './manifests.ts';
import { repositoryOf } from './repository.ts';

describe('manifests', () => {
  const good = {
    name: '@loggia/a',
    version: '0.1.0',
    description: 'Something that is described',
    license: 'Apache-2.0',
    type: 'module',
  };
  const check = (manifest: object) =>
    manifestViolations(repositoryOf({ 'packages/a/package.json': JSON.stringify(manifest) }));

  it('accepts a full one', () => {
    expect(check({ ...good, dependencies: { yaml: '2.9.1', duckdb: '1.5.6-r.1' } })).toEqual([]);
  });

  it.each([
    { name: 'a' },
    { version: undefined },
    { description: '' },
    { license: 'MIT' },
    { type: undefined },
    { dependencies: { yaml: '^2.9.1' } },
    { devDependencies: { yaml: '~2.9.1' } },
    { optionalDependencies: { yaml: '*' } },
    { peerDependencies: { yaml: '>=2' } },
  ])('refuses %o', (change) => {
    expect(check({ ...good, ...change })).toHaveLength(1);
  });

  it('looks at the versions of the root too', () => {
    const root = { 'package.json': JSON.stringify({ devDependencies: { vitest: 'latest' } }) };
    expect(manifestViolations(repositoryOf(root))).toHaveLength(1);
  });
});

const lock = (entries: object): string => JSON.stringify({ packages: entries });

describe('the lock file', () => {
  const check = (entries: object) =>
    lockViolations(repositoryOf({ 'package-lock.json': lock(entries) }));
  const path = 'node_modules/yaml';

  it('accepts hashes, and links within the workspace', () => {
    const entries = {
      '': { name: 'root' },
      'packages/a': { version: '0.1.0' },
      'node_modules/@loggia/a': { resolved: 'packages/a', link: true },
      [path]: { version: '2.9.1', integrity: 'sha512-x' },
    };
    expect(check(entries)).toEqual([]);
  });

  it('refuses an address, a missing hash, and an empty file', () => {
    const resolved = 'https://mirror.example.org/yaml.tgz';
    expect(check({ [path]: { resolved, integrity: 'sha512-x' } })).toHaveLength(1);
    expect(check({ [path]: { version: '2.9.1' } })).toHaveLength(1);
    expect(check({ [path]: { resolved: 'git+ssh://example.org/x', link: true } })).toHaveLength(1);
    expect(check({})).toHaveLength(1);
  });
});

describe('licences', () => {
  const entries = {
    'node_modules/yaml': { version: '2.9.1', license: 'ISC' },
    'node_modules/a/node_modules/yaml': { version: '1.0.0', license: 'MIT' },
    'node_modules/vitest': { version: '5.1.1', license: 'GPL-3.0', dev: true },
    'node_modules/@loggia/a': { resolved: 'packages/a', link: true },
  };
  const check = (packages: object, listing?: string) => {
    const repository = repositoryOf({ 'package-lock.json': lock(packages) });
    const text = listing ?? licenceTable(shippedPackages(repository));
    return licenceViolations(new Map([...repository, ['THIRD-PARTY.md', text]]));
  };

  it('asks only about what is shipped', () => {
    expect(check(entries)).toEqual([]);
  });

  it('refuses a licence that is not on the list, or none', () => {
    expect(check({ 'node_modules/b': { version: '1.0.0', license: 'AGPL-3.0' } })).toHaveLength(1);
    expect(check({ 'node_modules/b': { version: '1.0.0' } })).toHaveLength(1);
  });

  it('refuses a listing that lacks something or says too much', () => {
    expect(check(entries, '| package | version | licence |\n| yaml | 2.9.1 | ISC |')).toHaveLength(
      1,
    );
    expect(check({}, '| gone | 1.0.0 | MIT |')).toHaveLength(1);
  });
});

describe('decision records', () => {
  const check = (dependencies: readonly string[], text: string) =>
    recordViolations(
      repositoryOf({
        'packages/a/package.json': JSON.stringify({
          name: '@loggia/a',
          dependencies: Object.fromEntries(dependencies.map((name) => [name, '1.0.0'])),
        }),
        'docs/decisions/0001-a.md': text,
      }),
    );
  const table = '| package | for |\n|---|---|\n| `yaml` | files |\n';

  it('accept what they list, and mention what they reject', () => {
    expect(check(['yaml', '@loggia/a'], table)).toEqual([]);
    expect(check(['yaml'], `${table}\nNot \`other\`.\n\n| rows |\n|---|\n| \`0001\` |`)).toEqual(
      [],
    );
  });

  it('must name every dependency, and list no others', () => {
    expect(check(['yaml', 'pino'], table)).toHaveLength(1);
    expect(check([], table)).toHaveLength(1);
  });
});
