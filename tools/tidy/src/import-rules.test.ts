import { describe, expect, it } from 'vitest';
import { browserViolations } from './browser-safety.ts';
import { declarationViolations } from './declared-imports.ts';
import { cycleViolations } from './import-cycles.ts';
import { layerViolations } from './layers.ts';
import { purityViolations } from './purity.ts';
import { repositoryOf, violationText, type Rule } from './repository.ts';

type Files = Record<string, string>;

function manifest(
  name: string,
  dependencies: readonly string[] = [],
  tools: readonly string[] = [],
) {
  const versions = (names: readonly string[]) =>
    Object.fromEntries(names.map((dependency) => [dependency, '1.0.0']));
  return JSON.stringify({
    name,
    exports: { '.': './src/index.ts' },
    dependencies: versions(dependencies),
    devDependencies: versions(tools),
  });
}

const PACKAGES: Files = {
  'package.json': JSON.stringify({ devDependencies: { vitest: '1.0.0' } }),
  'packages/base/package.json': manifest('@tandem/base'),
  'packages/base/src/index.ts': '',
  'packages/contract/package.json': manifest('@loggia/contract'),
  'packages/contract/src/index.ts': '',
  'packages/reports/package.json': manifest('@loggia/reports'),
  'packages/reports/src/index.ts': '',
  'packages/journal/package.json': manifest('@loggia/journal'),
  'packages/journal/src/index.ts': '',
  'packages/warehouse/package.json': manifest('@loggia/warehouse'),
  'packages/warehouse/src/index.ts': '',
  'apps/tracker/package.json': manifest('@loggia/tracker'),
  'apps/tracker/src/index.ts': '',
};

const run = (rule: Rule, files: Files): string[] =>
  rule(repositoryOf({ ...PACKAGES, ...files })).map(violationText);

describe('layers', () => {
  const importing = (folder: string, specifier: string): string[] =>
    run(layerViolations, { [`${folder}/src/index.ts`]: `import { x } from '${specifier}';` });

  it('lets a package import downwards, and base from anywhere', () => {
    expect(importing('packages/warehouse', '@loggia/reports')).toEqual([]);
    expect(importing('packages/contract', '@tandem/base')).toEqual([]);
    expect(importing('packages/reports', './index.ts')).toEqual([]);
  });

  it.each([
    ['packages/reports', '@loggia/journal', 'imports @loggia/journal (layer 3)'],
    ['packages/journal', '@loggia/warehouse', 'imports @loggia/warehouse (layer 3)'],
    ['packages/base', '@loggia/contract', 'imports @loggia/contract (layer 0)'],
    ['packages/journal', '@loggia/contract/src/site.ts', 'is no entry point'],
    ['packages/journal', '../../contract/src/site.ts', `leaves the package's folder`],
    ['packages/journal', '@loggia/journal', 'by relative paths'],
  ])('refuses that %s imports %s', (folder, specifier, message) => {
    expect(importing(folder, specifier)).toEqual([expect.stringContaining(message)]);
  });

  it('keeps the browser script free of packages, and only that', () => {
    const text = `import { x } from '@loggia/contract';`;
    expect(run(layerViolations, { 'apps/tracker/src/browser/a.ts': text })).toHaveLength(1);
    expect(run(layerViolations, { 'apps/tracker/src/a.ts': text })).toEqual([]);
  });

  it('counts imports of types and of tests too', () => {
    const text = `import type { X } from '@loggia/journal';`;
    expect(run(layerViolations, { 'packages/reports/test/a.test.ts': text })).toHaveLength(1);
    expect(run(layerViolations, { 'packages/journal/test/a.test.ts': text })).toEqual([]);
  });

  it('asks for a layer for every package', () => {
    const found = run(layerViolations, { 'packages/new/package.json': manifest('@loggia/new') });
    expect(found).toEqual([expect.stringContaining('@loggia/new has no layer')]);
  });
});

describe('declared imports', () => {
  const importing = (path: string, specifier: string, journal: string): string[] =>
    run(declarationViolations, {
      'packages/journal/package.json': journal,
      [path]: `import { x } from '${specifier}';`,
    });
  const source = 'packages/journal/src/index.ts';
  const test = 'packages/journal/src/a.test.ts';

  it('accepts what is declared for the program and for tests', () => {
    expect(importing(source, 'yaml', manifest('@loggia/journal', ['yaml']))).toEqual([]);
    expect(importing(source, 'yaml/sub', manifest('@loggia/journal', ['yaml']))).toEqual([]);
    expect(importing(test, 'yaml', manifest('@loggia/journal', [], ['yaml']))).toEqual([]);
    expect(importing(test, 'vitest', manifest('@loggia/journal'))).toEqual([]);
    expect(importing(source, 'node:fs', manifest('@loggia/journal'))).toEqual([]);
  });

  it('refuses what is not, and what is declared in the wrong place', () => {
    const notDeclared = [expect.stringContaining('is not among the')];
    expect(importing(source, 'yaml', manifest('@loggia/journal'))).toEqual(notDeclared);
    expect(importing(source, 'vitest', manifest('@loggia/journal'))).toEqual(notDeclared);
    expect(importing(test, 'yaml', manifest('@loggia/journal'))).toEqual(notDeclared);
    expect(importing(source, '@tandem/base', manifest('@loggia/journal'))).toEqual(notDeclared);
    expect(importing(source, 'yaml', manifest('@loggia/journal', [], ['yaml']))).toEqual(
      notDeclared,
    );
  });

  it('takes tools for what they are', () => {
    const tool = {
      'tools/test/package.json': manifest('@tandem/test'),
      'tools/test/src/a.ts': `import { x } from 'vitest/node';`,
    };
    expect(run(declarationViolations, tool)).toEqual([]);
  });

  it('lets generators use devDependencies, and keeps the program from using generators', () => {
    const tools = manifest('@loggia/journal', [], ['esbuild']);
    expect(importing('packages/journal/src/generate.ts', 'esbuild', tools)).toEqual([]);
    expect(importing('packages/journal/src/page-build.ts', 'esbuild', tools)).toEqual([]);
    const generator = { 'packages/journal/src/page-build.ts': '' };
    const found = run(declarationViolations, {
      ...generator,
      'packages/journal/src/index.ts': `import './page-build.ts';`,
      'packages/journal/src/generate.ts': `import './page-build.ts';`,
    });
    expect(found).toEqual([
      `packages/journal/src/index.ts:1: the program imports a generator, './page-build.ts'`,
    ]);
  });

  it('refuses what is declared and never used', () => {
    const found = importing(source, 'node:fs', manifest('@loggia/journal', ['yaml']));
    expect(found).toEqual([expect.stringContaining('declares yaml and never uses it')]);
  });

  it('asks for the prefix of modules that Node.js brings', () => {
    expect(importing(source, 'fs', manifest('@loggia/journal'))).toEqual([
      expect.stringContaining(`is written 'node:fs'`),
    ]);
  });
});

describe('import cycles', () => {
  it('finds one that goes through types and through packages', () => {
    const found = run(cycleViolations, {
      'packages/journal/src/a.ts': `import type { B } from './b.ts';`,
      'packages/journal/src/b.ts': `export { c } from './c.ts';`,
      'packages/journal/src/c.ts': `import { x } from '@loggia/warehouse';`,
      'packages/warehouse/src/index.ts': `import { a } from '@loggia/journal';`,
      'packages/journal/src/index.ts': `export { a } from './a.ts';`,
    });
    expect(found).toEqual([expect.stringContaining('import cycle: ')]);
  });

  it('does not mind two ways to the same file', () => {
    const found = run(cycleViolations, {
      'packages/journal/src/a.ts': `import './b.ts'; import './c.ts';`,
      'packages/journal/src/b.ts': `import './c.ts';`,
      'packages/journal/src/c.ts': '',
    });
    expect(found).toEqual([]);
  });
});

describe('browser-safety', () => {
  it('follows imports into other packages', () => {
    const found = run(browserViolations, {
      'packages/contract/src/index.ts': `import { x } from '@tandem/base';`,
      'packages/base/src/index.ts': `export { x } from './x.ts';`,
      'packages/base/src/x.ts': `import { readFileSync } from 'node:fs';`,
    });
    expect(found).toEqual([
      `packages/base/src/x.ts:1: 'node:fs' does not run in a browser, which packages/contract/src/index.ts imports`,
    ]);
  });

  it.each([
    `import { x } from 'pino';`,
    `const a = Buffer.from('');`,
    'const b = process.env.HOME;',
    `const c = await import('node:os');`,
  ])('refuses %s', (text) => {
    expect(run(browserViolations, { 'apps/tracker/src/browser/a.ts': text })).toHaveLength(1);
  });

  it('leaves alone what is erased, tested, or run by the server', () => {
    const found = run(browserViolations, {
      'packages/contract/src/a.ts': `import type { X } from 'node:fs'; const { process: y } = z;`,
      'packages/contract/src/a.test.ts': `import { readFileSync } from 'node:fs';`,
      'apps/tracker/src/index.ts': `import { readFileSync } from 'node:fs';`,
    });
    expect(found).toEqual([]);
  });
});

describe('purity', () => {
  const inReports = (text: string): string[] =>
    run(purityViolations, { 'packages/reports/src/a.ts': text });

  it.each([
    `import { readFileSync } from 'node:fs';`,
    `import type { Socket } from 'node:net';`,
    'const a = Date.now();',
    'const b = new Date();',
    'const c = new Date;',
    'const d = Math.random();',
    'const e = process.env.HOME;',
    'const f = performance.now();',
    'setTimeout(g, 1);',
    `await fetch('');`,
    `globalThis.fetch('');`,
    `import { systemClock } from '@tandem/base';`,
    `console.log('');`,
    'const h = crypto.randomUUID();',
  ])('refuses %s', (text) => {
    expect(inReports(text)).toHaveLength(1);
  });

  it('lets a pure package compute', () => {
    const text = `
      import { crc32 } from 'node:zlib';
      const a = new Date(0), b = Date.UTC(2026, 0), c = Math.max(1, 2), d = this.fetch();
      // Date.now() is what the caller passes.
    `;
    expect(inReports(text)).toEqual([]);
  });

  it('asks nothing of tests and of packages that act', () => {
    const found = run(purityViolations, {
      'packages/reports/src/a.test.ts': 'Date.now();',
      'packages/journal/src/a.ts': 'Date.now();',
    });
    expect(found).toEqual([]);
  });
});
