import { isCandidateBy, parseCandidateRule } from './candidate-rule.ts';
import { scalarOf, textOf, variablesIn } from './config-node.ts';
import type { Findings } from './findings.ts';
import { quoted, subjectOf, type GivenValue } from './given-value.ts';
import { isLoopbackHost } from './listen-address.ts';
import type { LitefsContext, LitefsValues } from './litefs-values.ts';
import { ordinalOf, parseNodeName, stemOf } from './node-name.ts';
import { parseServerUrl } from './parse-text.ts';
import type { SettingKey } from './settings.ts';

type Translated = Map<SettingKey, GivenValue>;

const TTL_DEFAULT = '10s';
const SAME_FILE_EXAMPLE = "'candidate: ${HOSTNAME == 'NAME-0'}'";

/**
 * The lease of a `litefs.yml`. With `consul`, hostname, URL and candidate describe this node. With
 * `static`, hostname and URL describe the primary, and candidate says whether that is this node.
 */
export function translateLitefsLease(
  known: LitefsValues,
  context: LitefsContext,
  findings: Findings,
): Translated {
  const type = context.overrides.get('lease.type') ?? known.get('lease.type');
  if (type === undefined && findings.hasErrorAbout('lease.type')) return new Map();
  if (type === undefined) {
    findings.error(
      'config_missing',
      'lease.type',
      'lease.type is not given, and LiteFS has no default for it.',
      "Write 'type: static' or 'type: consul' below lease.",
    );
    return new Map();
  }
  if (isStatic(type)) return new StaticTranslation(known, context, findings).run();
  const inFile = known.get('lease.type');
  if (inFile !== undefined && isStatic(inFile)) return passOverStatic(known, type, findings);
  return translateOwnLease(known, context, findings);
}

function isStatic(type: GivenValue): boolean {
  return textOf(type.node).trim().toLowerCase() === 'static';
}

/** Another lease than the file's: what the file says of the static primary is true of no node. */
function passOverStatic(known: LitefsValues, type: GivenValue, findings: Findings): Translated {
  for (const path of ['lease.hostname', 'lease.advertise-url', 'lease.candidate']) {
    const given = known.get(path);
    if (given === undefined) continue;
    const message = `${subjectOf(given)} is about the static primary, and ${type.name} is ${quoted(type)}.`;
    findings.info(given, message, 'It has no effect.');
  }
  return new Map();
}

function translateOwnLease(
  known: LitefsValues,
  context: LitefsContext,
  findings: Findings,
): Translated {
  const values: Translated = new Map();
  const hostname = usableHostname(known, context, findings);
  if (hostname !== undefined) values.set('node.name', hostname);
  copy(known.get('lease.advertise-url'), 'node.advertise-url', values);
  copy(known.get('lease.candidate'), 'lease.candidate', values);
  if (!known.has('lease.consul.ttl')) {
    const origin = { kind: 'default' } as const;
    values.set('lease.duration', { name: 'lease.consul.ttl', origin, node: scalarOf(TTL_DEFAULT) });
  }
  return values;
}

/** The host name of the file, unless it is one that every machine may have. */
function usableHostname(
  known: LitefsValues,
  context: LitefsContext,
  findings: Findings,
): GivenValue | undefined {
  const hostname = known.get('lease.hostname');
  if (hostname === undefined || 'value' in parseNodeName(textOf(hostname.node).trim())) {
    return hostname;
  }
  findings.warn(
    hostname,
    `${subjectOf(hostname)} is ${quoted(hostname)}, which cannot tell nodes apart, and is ignored.`,
    `This node is called ${context.ownName}. Remove the line, or write a name.`,
  );
  return undefined;
}

function copy(given: GivenValue | undefined, key: SettingKey, values: Translated): void {
  if (given !== undefined) values.set(key, given);
}

/** One static lease; gives nothing when an error keeps it from being understood. */
class StaticTranslation {
  readonly #known: LitefsValues;
  readonly #context: LitefsContext;
  readonly #findings: Findings;
  readonly #ownName: string;
  readonly #candidate: GivenValue | undefined;

  constructor(known: LitefsValues, context: LitefsContext, findings: Findings) {
    this.#known = known;
    this.#context = context;
    this.#findings = findings;
    this.#ownName = context.ownName;
    this.#candidate = known.get('lease.candidate');
  }

  run(): Translated {
    const values: Translated = new Map();
    const isPrimary = this.#isPrimary();
    const url = this.#known.get('lease.advertise-url');
    if (this.#findings.hasErrorAbout('lease.advertise-url')) return values;
    if (isPrimary === undefined) {
      // Reading the key again, as any other, tells what is wrong with it.
      copy(this.#candidate, 'lease.candidate', values);
      return values;
    }
    if (url === undefined) {
      this.#findings.error(
        'config_missing',
        'lease.advertise-url',
        'lease.advertise-url is not given, which a static lease needs.',
        'Write the URL of the primary, the same on all nodes, such as http://NAME-0:20202.',
      );
      return values;
    }
    const host = hostOf(url);
    copy(url, 'lease.static.primary-url', values);
    if (host !== undefined && isLoopbackHost(host) && !this.#known.has('http.addr')) {
      const origin = { kind: 'derived', from: 'lease.advertise-url' } as const;
      values.set('http.listen', { name: 'http.addr', origin, node: scalarOf('127.0.0.1:20202') });
    }
    if (isPrimary) this.#describePrimary(values, url, host);
    else this.#describeReplica(values, url, host);
    return values;
  }

  #isPrimary(): boolean | undefined {
    const given = this.#candidate;
    if (this.#findings.hasErrorAbout('lease.candidate')) return undefined;
    if (given === undefined) {
      this.#findings.warn(
        'lease.candidate',
        'lease.candidate is not given, so that this node is the primary, as in LiteFS.',
        `On all other nodes it must be false; one file for all says ${SAME_FILE_EXAMPLE}.`,
      );
      return true;
    }
    const text = given.node.kind === 'scalar' ? given.node.text.trim() : '';
    const rule = parseCandidateRule(text);
    return 'value' in rule ? isCandidateBy(rule.value, this.#ownName) : undefined;
  }

  #describePrimary(values: Translated, url: GivenValue, host: string | undefined): void {
    const hostname = usableHostname(this.#known, this.#context, this.#findings);
    for (const [given, name] of [
      [hostname, hostname === undefined ? undefined : textOf(hostname.node).trim()],
      [url, host?.split('.')[0]],
    ] as const) {
      if (given === undefined || name === undefined || !isSibling(name, this.#ownName)) continue;
      this.#findings.error(
        'config_conflict',
        given,
        `${subjectOf(given)} says that the primary is ${name}, but lease.candidate makes this ` +
          `node, ${this.#ownName}, the primary.`,
        `Of a static lease, hostname and URL describe the primary and candidate chooses it: write ` +
          `'candidate: \${HOSTNAME == '${name}'}' on all nodes.`,
      );
      return;
    }
    if (hostname !== undefined && isOwnName(hostname)) this.#warnOfOwnName(hostname);
    const databases = this.#known.get('lease.databases');
    if (databases !== undefined) {
      const message = `${subjectOf(databases)} is only for nodes that cannot be primary.`;
      this.#findings.error('config_conflict', databases, message, 'Remove it here.');
    }
    const origin = { kind: 'derived', from: 'lease.candidate' } as const;
    const name = hostname ?? { name: 'lease.candidate', origin, node: scalarOf(this.#ownName) };
    values.set('node.name', name);
    values.set('lease.static.primary', name);
    values.set('node.advertise-url', url);
  }

  #describeReplica(values: Translated, url: GivenValue, host: string | undefined): void {
    const own = this.#ownName;
    if (host === own || host?.startsWith(`${own}.`) === true) {
      this.#findings.error(
        'config_conflict',
        url,
        `${subjectOf(url)} is ${quoted(url)}, which is this node itself, and it is not the primary.`,
        'Of a static lease, advertise-url is the URL of the primary, the same on all nodes.',
      );
      return;
    }
    const hostname = usableHostname(this.#known, this.#context, this.#findings);
    const named = hostname === undefined ? undefined : textOf(hostname.node).trim();
    if (hostname !== undefined && named === own) this.#warnOfOwnName(hostname);
    if (hostname !== undefined && named !== own) {
      values.set('lease.static.primary', hostname);
      return;
    }
    const label = host?.split('.')[0] ?? '';
    const isName = 'value' in parseNodeName(label);
    values.set('lease.static.primary', {
      name: 'lease.advertise-url',
      origin: { kind: 'derived', from: 'lease.advertise-url' },
      node: scalarOf(isName ? label : 'primary'),
    });
  }

  #warnOfOwnName(hostname: GivenValue): void {
    this.#findings.warn(
      hostname,
      `${subjectOf(hostname)} is ${quoted(hostname)}, the name of this node itself.`,
      'Of a static lease, hostname is the name of the primary, the same on all nodes.',
    );
  }
}

/** Whether the value names whatever node reads it. */
function isOwnName(given: GivenValue): boolean {
  return variablesIn(given.node).some((name) => name === 'HOSTNAME' || name === 'POD_NAME');
}

/** Whether two names differ in their ordinals only, as those of two pods of a StatefulSet. */
function isSibling(name: string, ownName: string): boolean {
  if (ordinalOf(name) === undefined || name === ownName) return false;
  return stemOf(name) !== undefined && stemOf(name) === stemOf(ownName);
}

function hostOf(url: GivenValue): string | undefined {
  const parsed = parseServerUrl(textOf(url.node).trim());
  return 'value' in parsed ? new URL(parsed.value).hostname : undefined;
}
