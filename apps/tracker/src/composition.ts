import type { ScriptFeature } from '@loggia/contract';

import { FRAGMENT_NAMES } from './script-parts.ts';
import type { FragmentName, ScriptParts } from './script-parts.ts';

/** What a feature is made of: settings that the kernel reads, and code that is added to it. */
interface Ingredients {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly fragments?: readonly FragmentName[];
}

const INGREDIENTS: Readonly<Record<ScriptFeature, Ingredients>> = {
  hash: { settings: { hashBasedRouting: true } },
  manual: { settings: { autoCapturePageviews: false } },
  local: { settings: { captureOnLocalhost: true } },
  'outbound-links': { settings: { outboundLinks: true }, fragments: ['links'] },
  'file-downloads': { settings: { fileDownloads: true }, fragments: ['links'] },
  'form-submissions': { settings: { formSubmissions: true }, fragments: ['forms'] },
  'tagged-events': { fragments: ['tagged'] },
  // The default script sends revenue already; with tagged events, so do their classes.
  revenue: {},
  'pageview-props': { fragments: ['page-properties'] },
  exclusions: { fragments: ['exclusions'] },
  '404': { fragments: ['not-found'] },
  gpc: { fragments: ['privacy-control'] },
  compat: {},
};

/** What a site's own script has in any case, since the page may switch it on through `init`. */
const OWN_FRAGMENTS: readonly FragmentName[] = ['links', 'forms', 'transform', 'init'];

export interface Composition {
  readonly features: readonly ScriptFeature[];
  /** Makes it the site's own script: it knows its site and takes `plausible.init`. */
  readonly domain?: string;
}

/** The text of the script with these features, whatever their order and however often named. */
export function compose(parts: ScriptParts, { features, domain }: Composition): string {
  const chosen = features.map((feature) => INGREDIENTS[feature]);
  const settings = Object.assign({}, ...chosen.map((each) => each.settings), { domain });
  const wanted = new Set(chosen.flatMap((each) => each.fragments ?? []));
  if (domain !== undefined) for (const name of OWN_FRAGMENTS) wanted.add(name);
  const settingsText = literalOf(settings);
  const compat = features.includes('compat');
  if (settingsText === '{}' && wanted.size === 0 && !compat) return parts.standalone;

  const { kernel, settings: target, start, fragments } = compat ? parts.compat : parts.modern;
  return [
    '(()=>{',
    kernel,
    settingsText === '{}' ? '' : `Object.assign(${target},${settingsText});`,
    ...FRAGMENT_NAMES.filter((name) => wanted.has(name)).map((name) => fragments[name]),
    wanted.has('init') ? '' : start,
    '})();',
  ].join('');
}

/** JSON that is also safe inside a script of any year and inside HTML. */
function literalOf(value: Readonly<Record<string, unknown>>): string {
  const keys = Object.keys(value).toSorted();
  return JSON.stringify(value, keys).replace(
    /[<\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
