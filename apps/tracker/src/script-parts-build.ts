import { fileURLToPath } from 'node:url';

import { assert } from '@tandem/base';
import { build, type BuildOptions } from 'esbuild';

import { FRAGMENT_NAMES } from './script-parts.ts';
import type { ExtensibleParts, FragmentName, ScriptParts } from './script-parts.ts';

const MODERN = 'es2020';
const COMPAT = 'es2018';

/**
 * Builds the parts from the sources in `browser/`. The result depends on nothing but those and the
 * pinned version of esbuild. For development and tests only: a server has the result in `generated/`.
 */
export async function buildScriptParts(): Promise<ScriptParts> {
  const standalone = await bundle('default', {
    format: 'iife',
    target: MODERN,
    define: { EXTENSIBLE: 'false' },
    // Only these two names of settings are in the default script, and no page can set them there.
    mangleProps: /^(domain|endpoint)$/,
  });
  return { standalone, modern: await buildParts(MODERN), compat: await buildParts(COMPAT) };
}

/** The module that `generated/script-parts.ts` has to be. */
export function moduleOf(parts: ScriptParts): string {
  return [
    '// Made from src/browser by src/generate.ts; a test compares the two.',
    "import type { ScriptParts } from '../src/script-parts.ts';",
    '',
    `export const SCRIPT_PARTS: ScriptParts = ${JSON.stringify(parts, null, 2)};`,
    '',
  ].join('\n');
}

async function buildParts(target: string): Promise<ExtensibleParts> {
  const kernel = splitKernel(await bundle('kernel', { format: 'esm', target }));
  const names = (name: string) => {
    const local = kernel.names.get(name);
    assert(local !== undefined, `the kernel exports ${name}`);
    return local;
  };
  const fragments: [FragmentName, string][] = [];
  for (const name of FRAGMENT_NAMES) {
    const code = await bundle(`feature-${name}`, { format: 'esm', target });
    fragments.push([name, wrapFragment(code, names)]);
  }
  return {
    kernel: kernel.code,
    settings: names('settings'),
    start: `${names('start')}();`,
    fragments: Object.fromEntries(fragments) as Record<FragmentName, string>,
  };
}

async function bundle(entry: string, options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`./browser/${entry}.ts`, import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    charset: 'utf8',
    // Without the project's own tsconfig, which would only add "use strict".
    tsconfigRaw: '{}',
    define: { EXTENSIBLE: 'true' },
    plugins: [
      {
        name: 'kernel-is-apart',
        setup(plugin) {
          plugin.onResolve({ filter: /\/kernel\.ts$/ }, ({ importer }) =>
            importer.includes('/feature-') ? { path: 'kernel', external: true } : undefined,
          );
        },
      },
    ],
    ...options,
  });
  const [file] = outputFiles ?? [];
  assert(file !== undefined, 'esbuild writes one file per entry');
  return file.text.trim();
}

/** Takes the export clause off the kernel; `names` tells the minified name of each export. */
function splitKernel(code: string): { code: string; names: Map<string, string> } {
  const clause = /export\{([^}]*)\};$/.exec(code);
  assert(clause !== null, 'the kernel ends with its exports');
  const names = pairsOf(clause[1] ?? '').map(([local, exported]) => [exported, local] as const);
  return { code: code.slice(0, clause.index), names: new Map(names) };
}

/** Turns a module that imports from the kernel into a call that gets the kernel's values. */
function wrapFragment(code: string, kernelName: (exported: string) => string): string {
  const [before, clause, after, ...more] = code.split(/import\{([^}]*)\}from"kernel";/);
  assert(before !== undefined && clause !== undefined && after !== undefined, 'a feature imports');
  assert(more.length === 0, 'a feature imports from the kernel once');
  const pairs = pairsOf(clause);
  const parameters = pairs.map(([, local]) => local).join(',');
  const values = pairs.map(([exported]) => kernelName(exported)).join(',');
  return `((${parameters})=>{${before}${after}})(${values});`;
}

/** The two names of each `a as b` in a clause. */
function pairsOf(clause: string): [string, string][] {
  return clause.split(',').map((item) => {
    const [before = '', after = before] = item.split(' as ');
    return [before, after];
  });
}
