import { isIPv6 } from 'node:net';
import { subjectOf } from './given-value.ts';
import type { Draft } from './draft.ts';
import { isLoopbackHost, isWildcardHost, type ListenAddress } from './listen-address.ts';
import { parseNodeName } from './node-name.ts';
import { parseServerUrl } from './parse-text.ts';
import type { NodeConfig } from './tandem-config.ts';

const NAME_OF_ONE = 'node';

/** What the rest of the configuration says about the node. */
export interface NodeSurroundings {
  readonly isAlone: boolean;
  readonly listen: ListenAddress;
  readonly isTls: boolean;
}

/**
 * The name of this node: as configured, else the pod's, else the host's. The variable HOSTNAME is
 * not asked, since images and ConfigMaps override it.
 */
export function nodeNameOf(draft: Draft, isAlone: boolean): string {
  const { values, machine, findings } = draft;
  const configured = values['node.name'];
  if (configured !== null) return configured;
  for (const [text, from] of [
    [draft.variable('POD_NAME'), 'POD_NAME'],
    [machine.hostName, 'the name of the host'],
  ] as const) {
    if (text === undefined) continue;
    if ('value' in parseNodeName(text)) {
      draft.derive('node.name', text, from);
      warnOfHostname(draft, text);
      return text;
    }
    if (from === 'POD_NAME') {
      const message = `POD_NAME is '${text}', which cannot be the name of a node, and is ignored.`;
      findings.warn('POD_NAME', message, 'Fill it from metadata.name by the downward API.');
    }
  }
  if (!isAlone && !draft.isGiven('node.name')) {
    findings.error(
      'config_missing',
      'node.name',
      `node.name is not given, and the name of the host, '${machine.hostName}', tells no node from another.`,
      'Write node.name, different on each node, for example from the environment: ${NODE_NAME}.',
    );
  }
  draft.derive('node.name', NAME_OF_ONE, 'there being one node only');
  return NAME_OF_ONE;
}

function warnOfHostname(draft: Draft, name: string): void {
  if (draft.findings.notes.some(({ key }) => key === 'HOSTNAME')) return;
  const hostname = draft.variable('HOSTNAME');
  if (hostname === undefined || 'value' in parseNodeName(hostname)) return;
  draft.findings.warn(
    'HOSTNAME',
    `HOSTNAME is '${hostname}', which names no machine, and is ignored: this node is called ${name}.`,
    'The image or a ConfigMap sets it, often for the application, which still gets it.',
  );
}

/** The node with the address that the others are told. */
export function nodeConfigOf(draft: Draft, name: string, around: NodeSurroundings): NodeConfig {
  const advertiseUrl = advertiseUrlOf(draft, name, around);
  return { name, uid: draft.variable('POD_UID') ?? null, advertiseUrl };
}

function advertiseUrlOf(draft: Draft, name: string, around: NodeSurroundings): string {
  const configured = draft.values['node.advertise-url'];
  if (configured !== null) {
    checkAdvertiseUrl(draft, configured, around);
    return configured;
  }
  const [url, from] = derivedUrl(draft, name, around);
  draft.derive('node.advertise-url', url, from);
  if (around.isAlone || isLoopbackHost(new URL(url).hostname)) return url;
  if (from === 'node.name') {
    draft.findings.warn(
      'node.advertise-url',
      `node.advertise-url is not given, so the other nodes are told ${url}, by the name of this node.`,
      'If they cannot look that name up, write it, or set POD_IP from status.podIP.',
    );
  } else {
    draft.findings.info('node.advertise-url', `The other nodes are told ${url}, from ${from}.`);
  }
  return url;
}

function derivedUrl(
  draft: Draft,
  name: string,
  { listen, isTls, isAlone }: NodeSurroundings,
): readonly [string, string] {
  const scheme = isTls ? 'https' : 'http';
  const peer = draft.values['lease.static.peers']?.get(name);
  if (peer !== undefined) return [peer, 'lease.static.peers'];
  const urlWith = (host: string) =>
    `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${listen.port}`;
  if (!isWildcardHost(listen.host)) return [urlWith(listen.host), 'http.listen'];
  const podIp = draft.variable('POD_IP');
  if (podIp !== undefined && 'value' in parseServerUrl(urlWith(podIp))) {
    return [urlWith(podIp), 'POD_IP'];
  }
  return isAlone ? [urlWith('127.0.0.1'), 'http.listen'] : [urlWith(name), 'node.name'];
}

function checkAdvertiseUrl(draft: Draft, text: string, around: NodeSurroundings): void {
  const url = new URL(text);
  const given = draft.given('node.advertise-url');
  if (given === undefined) return;
  const { listen, isAlone } = around;
  if (url.port === '' && !/:\d+$/.test(text) && listen.port !== 80 && listen.port !== 443) {
    draft.findings.warn(
      given,
      `${subjectOf(given)} is ${text}, which names no port, while this node listens on ${listen.port}.`,
      `Write ${text}:${listen.port}, unless something else passes the connections on.`,
    );
  }
  if (!isAlone && isLoopbackHost(url.hostname) && !isLoopbackHost(listen.host)) {
    draft.findings.warn(
      given,
      `${subjectOf(given)} is ${text}, which only programs of this machine reach.`,
      'Write an address that the other nodes reach.',
    );
  }
}
