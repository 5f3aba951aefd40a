import { describe, expect, it } from 'vitest';
import { importSites } from './import-sites.ts';
import { codeTokens } from './tokens.ts';

const found = (source: string): string[] =>
  importSites(codeTokens(source)).map(({ kind, specifier }) => `${kind} ${specifier}`);

describe('importSites', () => {
  it('finds every form of import', () => {
    const source = `
      import a from 'm1';
      import b, { c as d } from 'm2';
      import * as e from "m3";
      import 'm4';
      import type { F } from 'm5';
      import type, { g } from 'm6';
      export { h } from 'm7';
      export * from 'm8';
      export * as i from 'm9';
      export type { J } from 'm10';
      const k = await import('m11');
      type L = import('m12').L;
      const n = import.meta.resolve('m13');
      const o = require('m14');
      require.resolve('m15');
      import p from './p.json' with { type: 'json' };
    `;
    expect(found(source)).toEqual([
      'value m1',
      'value m2',
      'value m3',
      'value m4',
      'type m5',
      'value m6',
      'value m7',
      'value m8',
      'value m9',
      'type m10',
      'dynamic m11',
      'dynamic m12',
      'resolved m13',
      'value m14',
      'resolved m15',
      'value ./p.json',
    ]);
  });

  it('is not misled by what only looks like one', () => {
    const source = `
      // import a from 'm1';
      const b = "import c from 'm2'";
      const d = \`import e from 'm3'\`;
      export const from = 'm4';
      export { from };
      object.import('m5');
      const f = { import: 'm6' };
      export type G = { from: 'm7' };
    `;
    expect(found(source)).toEqual([]);
  });

  it('says on which line', () => {
    expect(importSites(codeTokens(`\n\nimport {\n  a,\n} from 'b';`))[0]?.line).toBe(5);
  });
});
