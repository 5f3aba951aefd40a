import { isIPv6 } from 'node:net';
import type { ProxyTuning } from '@tandem/proxy';
import type { Draft } from './draft.ts';
import { subjectOf } from './given-value.ts';
import { isWildcardHost, type ListenAddress } from './listen-address.ts';
import { formatDuration } from './quantity.ts';
import { needTogether } from './requirement.ts';
import { SETTING_KEYS } from './settings.ts';
import type { ProxyConfig } from './tandem-config.ts';

/** The proxy; null when there is none. */
export function proxyConfigOf(
  draft: Draft,
  node: { readonly advertiseUrl: string },
  httpListen: ListenAddress,
): ProxyConfig | null {
  const { values } = draft;
  const listen = values['proxy.listen'];
  const targetUrl = values['proxy.target'];
  needTogether(draft, 'proxy.listen', 'proxy.target');
  if (listen === null || targetUrl === null) {
    warnOfOrphans(draft);
    return null;
  }
  refuseSamePort(draft, listen, httpListen);
  refuseLoop(draft, listen, new URL(targetUrl));
  warnOfShortConfirm(draft);
  const configured = values['proxy.advertise-url'];
  const advertiseUrl = configured ?? advertisedBy(node.advertiseUrl, listen);
  if (configured === null) draft.derive('proxy.advertise-url', advertiseUrl, 'node.advertise-url');
  const database = values['proxy.database'];
  return { listen, targetUrl, advertiseUrl, database, tuning: tuningOf(draft) };
}

function tuningOf({ values }: Draft): Partial<ProxyTuning> {
  return {
    passthrough: values['proxy.passthrough'] ?? [],
    alwaysForward: values['proxy.always-forward'] ?? [],
    maxLagMs: values['proxy.max-lag'],
    primaryRedirectTimeoutMs: values['proxy.primary-redirect-timeout'],
    readWaitTimeoutMs: values['proxy.read-wait-timeout'],
    confirmTimeoutMs: values['proxy.confirm-timeout'],
    readTimeoutMs: values['proxy.read-timeout'],
    headerTimeoutMs: values['proxy.read-header-timeout'],
    writeTimeoutMs: values['proxy.write-timeout'],
    idleTimeoutMs: values['proxy.idle-timeout'],
    bodyBytesMax: values['proxy.body-size'],
    secureCookie: values['proxy.secure-cookie'],
  };
}

function advertisedBy(nodeUrl: string, { host, port }: ListenAddress): string {
  const ownHost = isIPv6(host) ? `[${host}]` : host;
  return `http://${isWildcardHost(host) ? new URL(nodeUrl).hostname : ownHost}:${port}`;
}

/** Keys of a proxy that does not run, for lack of an address or a target. */
function warnOfOrphans(draft: Draft): void {
  const isHalf = draft.isGiven('proxy.listen') || draft.isGiven('proxy.target');
  const key = SETTING_KEYS.find((one) => one.startsWith('proxy.') && draft.given(one));
  const given = key === undefined ? undefined : draft.given(key);
  if (isHalf || given === undefined) return;
  const message = `${subjectOf(given)} has no effect: there is no proxy.`;
  draft.findings.warn(given, message, 'Give proxy.listen and proxy.target too, or remove it.');
}

/** Writes would fail where they are meant to be let pass. */
function warnOfShortConfirm(draft: Draft): void {
  const { values, findings } = draft;
  const limit = 'proxy.confirm-timeout';
  const isDegrading =
    values['acknowledge.mode'] !== 'none' && values['acknowledge.on-timeout'] === 'degrade';
  const timeoutMs = values['acknowledge.timeout'];
  if (!isDegrading || values[limit] > timeoutMs) return;
  const cause = draft.given(limit) ?? draft.given('acknowledge.timeout');
  if (cause === undefined) return;
  const message = `${limit} is not above acknowledge.timeout, so writes fail with 504 instead of being let pass.`;
  findings.warn(cause, message, `Give more than ${formatDuration(timeoutMs)}.`);
}

function refuseSamePort(draft: Draft, listen: ListenAddress, httpListen: ListenAddress): void {
  const given = draft.given('proxy.listen');
  const overlaps =
    listen.host === httpListen.host ||
    isWildcardHost(listen.host) ||
    isWildcardHost(httpListen.host);
  if (given === undefined || listen.port !== httpListen.port || listen.port === 0 || !overlaps)
    return;
  const message = `${subjectOf(given)} has port ${listen.port}, on which the HTTP interface listens.`;
  draft.findings.error('config_conflict', given, message, 'Give one of the two another port.');
}

/** A target that is the proxy itself would pass each request round for ever. */
function refuseLoop(draft: Draft, listen: ListenAddress, target: URL): void {
  const given = draft.given('proxy.target');
  const isOwnHost = ['localhost', '127.0.0.1', '[::1]'].includes(target.hostname);
  const port = Number(target.port === '' ? 80 : target.port);
  if (given === undefined || !isOwnHost || port !== listen.port) return;
  const message = `${subjectOf(given)} is ${target.origin}, which is the proxy itself.`;
  const hint = 'Let the application listen on another port, and write that.';
  draft.findings.error('config_conflict', given, message, hint);
}
