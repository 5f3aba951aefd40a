import { ProxyError } from './proxy-error.ts';
import type { ProxyState } from './proxy-state.ts';

/** Something an operator may want to see; the proxy itself writes nowhere. */
export interface ProxyLogEntry {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  /** Code, method, path and the like. */
  readonly fields: Readonly<Record<string, string | number>>;
}

/** What a proxy must be told. Everything in `ProxyTuning` may be added. */
export interface ProxyOptions extends Partial<ProxyTuning> {
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The application on this node, as `http://HOST:PORT`. */
  readonly targetUrl: string;
  readonly state: ProxyState;
  /** A secret that the proxies of all nodes share; it tells their requests from clients' ones. */
  readonly forwardToken?: string;
  readonly log?: (entry: ProxyLogEntry) => void;
}

/** Settings with defaults. Time-outs of 0 mean none, where the comment does not say otherwise. */
export interface ProxyTuning {
  /** Paths that go straight to the application, without waiting and without a cookie. */
  readonly passthrough: readonly string[];
  /** Paths whose GETs are treated as writes. */
  readonly alwaysForward: readonly string[];
  /** The lag at which the health check fails; 0 never fails for lag. */
  readonly maxLagMs: number;
  /** How long a write waits for a primary; 0 does not wait. */
  readonly primaryRedirectTimeoutMs: number;
  /** How long a read waits for the client's position; 0 does not wait. */
  readonly readWaitTimeoutMs: number;
  /** For reading a whole request. */
  readonly readTimeoutMs: number;
  /** For reading a request's head. */
  readonly headerTimeoutMs: number;
  /** From the head of a request to the end of its answer; event streams and tunnels are exempt. */
  readonly writeTimeoutMs: number;
  /** How long a client's idle connection is kept. */
  readonly idleTimeoutMs: number;
  /** For connecting to the application or the primary; 0 is refused. */
  readonly connectTimeoutMs: number;
  /** How long requests wait for an application that does not listen (yet); 0 does not wait. */
  readonly targetRetryTimeoutMs: number;
  /** Silence of the primary, before its answer begins, after which it is given up. */
  readonly primaryAnswerTimeoutMs: number;
  /** How long a write may wait for its acknowledgements; given to `ProxyState.confirm`. */
  readonly confirmTimeoutMs: number;
  /** How long to wait for `100 Continue` before the body is sent all the same. */
  readonly continueTimeoutMs: number;
  /** How long `close` goes on serving, saying on each answer that the connection ends. */
  readonly closeLingerMs: number;
  /** How long `close` then lets requests under way finish. */
  readonly closeTimeoutMs: number;
  readonly cookieMaxAgeS: number;
  /** Whether the cookie is for HTTPS only; right when TLS ends before the proxy everywhere. */
  readonly secureCookie: boolean;
  /** How much of a body is kept so that it can be sent again after a refusal. */
  readonly bodyBytesMax: number;
  readonly headerBytesMax: number;
  /** Clients' connections at one time; with them, connections to the application and the primary. */
  readonly connectionsMax: number;
  /** Requests that one connection may send ahead without waiting for answers. */
  readonly pipelinedMax: number;
  /** Idle connections kept, to the application and to the primary each. */
  readonly idleUpstreamsMax: number;
  /**
   * How long they are kept: shorter than any server's own limit, and than the `closeLingerMs` of
   * another proxy, so that none is closed in use.
   */
  readonly idleUpstreamMs: number;
  /** Proxies that a forwarded write may go through before it is refused. */
  readonly hopsMax: number;
}

/** Everything settled. */
export interface ProxySettings extends ProxyTuning {
  readonly target: URL;
  readonly forwardToken: string | undefined;
}

/** LiteFS's defaults where it has the setting. */
export const PROXY_DEFAULTS: ProxyTuning = {
  passthrough: [],
  alwaysForward: [],
  maxLagMs: 10_000,
  primaryRedirectTimeoutMs: 5_000,
  readWaitTimeoutMs: 5_000,
  readTimeoutMs: 0,
  headerTimeoutMs: 10_000,
  writeTimeoutMs: 0,
  idleTimeoutMs: 30_000,
  connectTimeoutMs: 5_000,
  targetRetryTimeoutMs: 10_000,
  primaryAnswerTimeoutMs: 60_000,
  confirmTimeoutMs: 10_000,
  continueTimeoutMs: 1_000,
  closeLingerMs: 500,
  closeTimeoutMs: 5_000,
  cookieMaxAgeS: 300,
  secureCookie: false,
  bodyBytesMax: 1_048_576,
  headerBytesMax: 16_384,
  connectionsMax: 10_000,
  pipelinedMax: 64,
  idleUpstreamsMax: 64,
  idleUpstreamMs: 400,
  hopsMax: 3,
};

/** The longest time that Node's timers count. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;
const TOKEN = /^[\x21-\x7e]{1,512}$/;

/** @throws ProxyError bad_option */
export function resolveSettings(options: ProxyOptions): ProxySettings {
  const { listen: _listen, targetUrl, state: _state, log: _log, forwardToken, ...tuning } = options;
  const settings = {
    ...PROXY_DEFAULTS,
    ...Object.fromEntries(Object.entries(tuning).filter(([, value]) => value !== undefined)),
    target: parseBaseUrl('targetUrl', targetUrl),
    forwardToken,
  };
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value !== 'number') continue;
    const max = name.endsWith('Ms') ? TIMEOUT_MS_MAX : Number.MAX_SAFE_INTEGER;
    const min = MIN[name] ?? 0;
    if (Number.isInteger(value) && value >= min && value <= max) continue;
    throw new ProxyError('bad_option', `${name} is ${value}.`, {
      hint: `Give a whole number from ${min} to ${max}.`,
    });
  }
  for (const glob of [...settings.passthrough, ...settings.alwaysForward]) {
    if (glob.startsWith('/') || glob.startsWith('*')) continue;
    throw new ProxyError('bad_option', `The path rule '${glob}' matches no path.`, {
      hint: "A rule is a whole path: begin it with '/' or '*'.",
    });
  }
  if (forwardToken !== undefined && !TOKEN.test(forwardToken)) {
    throw new ProxyError('bad_option', 'The forward token cannot be sent in a header.', {
      hint: 'Use 1 to 512 visible ASCII characters without blanks.',
    });
  }
  return settings;
}

const MIN: Readonly<Record<string, number>> = {
  connectTimeoutMs: 1,
  continueTimeoutMs: 1,
  headerBytesMax: 1024,
  connectionsMax: 1,
  pipelinedMax: 1,
  hopsMax: 1,
};

/** @throws ProxyError bad_option when `text` is more than scheme, host and port, or less */
export function parseBaseUrl(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  const isBare = url?.pathname === '/' && url.search === '' && url.hash === '';
  if (url !== undefined && isHttp && isBare && url.username === '') return url;
  throw new ProxyError('bad_option', `${name} is '${text}'.`, {
    hint: 'Give scheme, host and port, such as http://127.0.0.1:8080.',
  });
}
