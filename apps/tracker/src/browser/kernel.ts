import { deliver } from './delivery.ts';
import { attend, measure, ping, turnTo } from './engagement.ts';
import type { EventOptions, Payload } from './payload.ts';
import { element, settings } from './settings.ts';

// Features are built apart from the kernel; what they share is exported here.
export { element, settings };

/** Clicks and submissions that a tag on an element has already counted. */
export const claimed = new WeakSet<Event>();

/** Passes on what is about to be sent, changed or not; a falsy answer refuses it. */
export type Filter = (payload: Payload) => Payload | false | null | undefined;

/** Filters of features, in the order in which they apply. */
export const filters: Filter[] = [
  (payload) => (settings.hashBasedRouting ? { ...payload, h: 1 } : payload),
];

type Call = [name: string, options?: EventOptions];

/** What lies on `window.plausible`: this script's function, or the page's stub until then. */
export interface Plausible {
  (...call: Call): void;
  /** Calls made before the script came, as `arguments` objects. */
  q?: ArrayLike<unknown>[];
  /** What the page passed to `init` before the script came. */
  o?: Partial<typeof settings>;
  init?: (overrides?: Partial<typeof settings>) => void;
}

interface Globals {
  plausible?: Plausible;
  /** Truthy: count although a program drives the browser. */
  __plausible?: unknown;
  _phantom?: unknown;
  __nightmare?: unknown;
  Cypress?: unknown;
}

export const globals = window as Window & Globals;

/** The route viewed last; empty before the first view and after a return from the cache. */
let route: string | undefined;

/** Why nothing may be counted here, or something falsy. */
function refusal(): unknown {
  try {
    if (localStorage['plausible_ignore'] === 'true') return 'opted out';
  } catch {
    // Storage may be forbidden to the page; nobody has opted out there.
  }
  if (EXTENSIBLE && settings.captureOnLocalhost) return false;
  // An address without a host, such as file:, is as local as these.
  if (/^(localhost|127(\.\d+){3}|\[::1])?$/.test(location.hostname)) return 'localhost';
  return (
    !globals.__plausible &&
    (navigator.webdriver || globals._phantom || globals.__nightmare || globals.Cypress) &&
    'automation'
  );
}

/** Counts an event; this is `window.plausible`. */
export function track(name: string, given?: EventOptions): void {
  const options = given || {};
  const isView = name === 'pageview';
  if (isView) {
    attend();
    ping();
  }
  const reason = refusal();
  let payload: ReturnType<Filter> = !reason && {
    n: name,
    u: options.u || options.url || location.href,
    d: settings.domain,
    r: document.referrer || null,
    w: innerWidth,
    p: options.props || options.meta,
    $: options.revenue,
    i: options.interactive,
  };
  if (EXTENSIBLE) for (const filter of filters) payload = payload && filter(payload);
  if (isView) turnTo(payload);
  if (payload) {
    deliver(payload, options.callback);
  } else {
    if (!EXTENSIBLE || settings.logging !== false) {
      // oxlint-disable-next-line no-console -- where a page's developer looks for the answer
      console.warn('Not counted:', EXTENSIBLE ? reason || 'left out' : reason);
    }
    options.callback?.();
  }
}

/** Counts a view if the address is a new route. A page that nobody has seen yet has no view. */
function visit(): void {
  const next =
    EXTENSIBLE && settings.hashBasedRouting ? location.pathname + location.hash : location.pathname;
  if (next === route || (document.hidden && !route)) return;
  if (EXTENSIBLE && settings.autoCapturePageviews === false) return;
  route = next;
  track('pageview');
}

/** Follows attention. Becoming visible for the first time or anew from the cache is a view. */
function observe(event: { readonly type: string; readonly persisted?: boolean }): void {
  if (!attend(!document.hidden && document.hasFocus() && !/blur|hide/.test(event.type))) {
    measure();
    ping();
  }
  if (event.type === 'pageshow' && event.persisted) route = '';
  if (!route) visit();
}

/** Takes over `window.plausible`, counts the first view, then what was called before. */
export function start(): void {
  const queue = globals.plausible?.q || [];
  const push = history.pushState.bind(history);
  globals.plausible = track;
  history.pushState = (...change) => {
    push(...change);
    visit();
  };
  addEventListener('popstate', visit);
  if (EXTENSIBLE) addEventListener('hashchange', visit);
  addEventListener('scroll', measure);
  'blur focus pagehide pageshow visibilitychange'
    .split(' ')
    .map((type) => addEventListener(type, observe));
  // Only browsers that need `compat` are without it; scrolling and leaving measure there too.
  if (!EXTENSIBLE || 'ResizeObserver' in globals) {
    new ResizeObserver(measure).observe(document.documentElement);
  }
  observe({ type: '' });
  queue.map((call) => track(...(call as unknown as Call)));
}
