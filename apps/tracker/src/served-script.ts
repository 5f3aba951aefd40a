import { SCRIPT_FEATURES, type ScriptFeature } from '@loggia/contract';
import { LruCache } from '@tandem/base';

import { SCRIPT_PARTS } from '../generated/script-parts.ts';
import { compose } from './composition.ts';
import { scriptOf, type Script } from './script.ts';

/** A script and its compressed forms are about 10 kB, so that a full cache is about 2.5 MB. */
const CACHED_SCRIPTS_MAX = 256;

/** Apart, so that whoever asks for every combination of extensions displaces no site's script. */
const namedScripts = new LruCache<string, Script>(CACHED_SCRIPTS_MAX);
const ownScripts = new LruCache<string, Script>(CACHED_SCRIPTS_MAX);

export interface ScriptOptions {
  /**
   * The site that the script counts for. With it the script is the site's own: it needs no
   * `data-domain`, and takes the page's settings through `plausible.init({…})`.
   */
  readonly domain?: string;
}

/** The script with these features; the same object for the same ones while it is in the cache. */
export function scriptWith(
  features: readonly ScriptFeature[],
  options: ScriptOptions = {},
): Script {
  const { domain } = options;
  const scripts = domain === undefined ? namedScripts : ownScripts;
  const key = JSON.stringify([[...new Set(features)].toSorted(), domain]);
  const known = scripts.get(key);
  if (known !== undefined) return known;
  const composition = domain === undefined ? { features } : { features, domain };
  const script = scriptOf(compose(SCRIPT_PARTS, composition));
  scripts.set(key, script);
  return script;
}

/**
 * The script of a file name under `/js/`: `script.js` or `plausible.js`, with features as
 * extensions in any order (`script.hash.outbound-links.js`). Undefined for any other name, so also
 * for an extension that does not exist: a typing error should not go unnoticed.
 */
export function scriptNamed(fileName: string): Script | undefined {
  const [stem, ...rest] = fileName.split('.');
  if ((stem !== 'script' && stem !== 'plausible') || rest.pop() !== 'js') return undefined;
  if (!rest.every(isFeature)) return undefined;
  return scriptWith(rest);
}

/** The script id in `pa-ID.js`, the file name of a site's own script. */
export function scriptIdOf(fileName: string): string | undefined {
  return /^pa-([A-Za-z0-9]{16})\.js$/.exec(fileName)?.[1];
}

function isFeature(name: string): name is ScriptFeature {
  return SCRIPT_FEATURES.some((feature) => feature === name);
}
