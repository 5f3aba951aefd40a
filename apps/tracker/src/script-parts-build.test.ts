import { readFile } from 'node:fs/promises';

import { expect, test } from 'vitest';

import { SCRIPT_PARTS } from '../generated/script-parts.ts';
import { buildScriptParts, moduleOf } from './script-parts-build.ts';

test('the generated parts are what the sources build', async () => {
  const built = await buildScriptParts();
  expect(built).toEqual(SCRIPT_PARTS);
  const generated = new URL('../generated/script-parts.ts', import.meta.url);
  expect(await readFile(generated, 'utf8')).toBe(moduleOf(built));
});
