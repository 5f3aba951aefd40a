import type { LEASE_TIMING_PRESETS } from '@tandem/lease';
import { parseCandidateRule } from './candidate-rule.ts';
import {
  listOf,
  mapOf,
  oneOf,
  parseBoolean,
  parseConsulAddress,
  parseObjectName,
  parsePath,
  parseServerUrl,
  parseWords,
  scalar,
} from './parse-text.ts';
import { duration } from './quantity.ts';
import { optional, setting } from './setting.ts';
import { parseStaticRule } from './static-rule.ts';

const DAY_MS = 86_400_000;

/** The kinds of lease that there are. */
export const LEASE_TYPES = ['static', 'kubernetes', 'etcd', 'consul'] as const;
/** A kind of lease. */
export type LeaseType = (typeof LEASE_TYPES)[number];

const PRESETS = [
  'default',
  'slow-store',
  'patient',
] as const satisfies readonly (keyof typeof LEASE_TIMING_PRESETS)[];
const TIME = 'a time such as 10s or 1m30s';
const FLAG = 'true or false';
const FILE = 'the path of a file in PEM form';
const URL_EXPECTED = 'a URL with scheme, host and port';

/** Keys about who is primary. */
export const LEASE_SETTINGS = {
  'lease.type': setting({
    parse: scalar(oneOf(LEASE_TYPES)),
    defaultText: 'static',
    expects: `one of ${LEASE_TYPES.join(', ')}`,
    example: 'kubernetes',
    summary: 'What decides who is primary.',
  }),
  'lease.candidate': setting({
    parse: scalar(parseCandidateRule),
    defaultText: 'true',
    expects: "true, false, or a rule such as 'ordinal < 3' or 'name == web-0'",
    example: 'ordinal < 3',
    summary:
      'Whether this node may become primary. A rule is the same on all nodes: `ordinal` is the number ' +
      'at the end of `node.name`. Of a static lease, `lease.static.primary` alone decides.',
  }),
  'lease.promote': setting({
    parse: scalar(parseBoolean),
    defaultText: 'false',
    expects: FLAG,
    example: 'true',
    summary: 'Whether a candidate asks the primary for the lease once it has caught up at start.',
  }),
  'lease.preset': setting({
    parse: scalar(oneOf(PRESETS)),
    defaultText: 'default',
    expects: `one of ${PRESETS.join(', ')}`,
    example: 'slow-store',
    summary:
      'Timings with a name: `default` 15s/10s/2s, `slow-store` 30s/20s/4s for a store on slow disks, ' +
      '`patient` 60s/40s/15s for one that is away now and then (duration/renew-deadline/retry).',
  }),
  'lease.duration': optional({
    parse: scalar(duration({ min: 1000, max: DAY_MS })),
    otherwise: 'by the preset',
    expects: TIME,
    example: '15s',
    summary: 'Others may take the lease when it has not been renewed for so long.',
  }),
  'lease.renew-deadline': optional({
    parse: scalar(duration({ min: 100, max: DAY_MS })),
    otherwise: 'by the preset; two thirds of a given duration',
    expects: TIME,
    example: '10s',
    summary: 'A primary steps down when it could not renew for so long. Shorter than the duration.',
  }),
  'lease.retry': optional({
    parse: scalar(duration({ min: 50, max: DAY_MS })),
    otherwise: 'by the preset; two fifteenths of a given duration',
    expects: TIME,
    example: '2s',
    summary: 'Between two attempts. The renew deadline is longer than 1.2 times this.',
  }),
  'lease.margin': optional({
    parse: scalar(duration({ min: 1, max: DAY_MS })),
    otherwise: 'half of the duration less the renew deadline',
    expects: TIME,
    example: '2500ms',
    summary:
      "A primary's right to commit ends so long before the duration. At most the duration less the " +
      'renew deadline.',
  }),
  'lease.failsafe': setting({
    parse: scalar(parseBoolean),
    defaultText: 'true',
    expects: FLAG,
    example: 'false',
    summary: 'Whether a primary goes on while the store is away and every known node agrees.',
  }),
  'lease.reconnect-delay': setting({
    parse: scalar(duration({ min: 10, max: 600_000 })),
    defaultText: '1s',
    expects: TIME,
    example: '5s',
    summary: 'The longest pause before a lost stream from the primary is opened again.',
  }),
  'lease.demote-delay': setting({
    parse: scalar(duration({ min: 0, max: 600_000 })),
    defaultText: '10s',
    expects: TIME,
    example: '30s',
    summary:
      'How long a node that gave the lease up to nobody, since it could not lead, leaves it to others, ' +
      'unless somebody has led since. A hand-off passes it on at once.',
  }),
  'lease.static.primary': optional({
    parse: scalar(parseStaticRule),
    otherwise: 'this node, when no other is configured',
    expects: 'the name or the ordinal of the primary',
    example: 'web-0',
    summary: 'Which node is primary: its name, or its ordinal (`0`). The same on all nodes.',
  }),
  'lease.static.primary-url': optional({
    parse: scalar(parseServerUrl),
    otherwise: "the primary's entry in `lease.static.peers`",
    expects: URL_EXPECTED,
    example: 'http://web-0.web:20202',
    summary: 'Where the primary is reached. The same on all nodes.',
  }),
  'lease.static.peers': optional({
    parse: mapOf(parseServerUrl),
    otherwise: 'none',
    expects: 'a section of names with URLs',
    example: 'web-0=http://10.0.0.7:20202,web-1=http://10.0.0.8:20202',
    summary: 'All nodes with their URLs, this one included. The same on all nodes.',
  }),
  'lease.kubernetes.lease': optional({
    parse: scalar(parseObjectName),
    otherwise: '`NAME-tandem` for pods called `NAME-0`, `NAME-1`, …; else required',
    expects: 'the name of a Lease object',
    example: 'shop-tandem',
    summary:
      'The object of coordination.k8s.io/v1 that the nodes compete for; it is made when missing. The ' +
      'service account needs get, list, watch and update on it, and create on leases.',
  }),
  'lease.kubernetes.namespace': optional({
    parse: scalar(parseObjectName),
    otherwise: '`POD_NAMESPACE`, else the namespace of the service account',
    expects: 'the name of a namespace',
    example: 'shop',
    summary: 'Where the Lease object is.',
  }),
  'lease.kubernetes.api-server': optional({
    parse: scalar(parseServerUrl),
    otherwise: 'as Kubernetes tells each pod',
    expects: URL_EXPECTED,
    example: 'https://10.96.0.1:443',
    summary: 'The API server; only needed outside pods.',
  }),
  'lease.kubernetes.token-file': optional({
    parse: scalar(parsePath),
    otherwise: 'that of the service account',
    expects: 'the path of a file',
    example: '/run/token',
    summary: 'The token, read again for each request.',
  }),
  'lease.kubernetes.ca-file': optional({
    parse: scalar(parsePath),
    otherwise: 'that of the service account',
    expects: FILE,
    example: '/run/ca.crt',
    summary: 'The certificates that the API server is trusted by.',
  }),
  'lease.etcd.endpoints': optional({
    parse: listOf(parseServerUrl),
    otherwise: 'required with `lease.type: etcd`',
    expects: 'a list of URLs',
    example: 'http://10.0.0.5:2379',
    summary: "etcd's client URLs, tried in turn.",
  }),
  'lease.etcd.prefix': optional({
    parse: scalar(parseWords),
    otherwise: 'required with `lease.type: etcd`',
    expects: 'a folder of keys',
    example: '/tandem/shop',
    summary: 'Where the keys of this cluster are. Each cluster needs its own.',
  }),
  'lease.etcd.user': optional({
    parse: scalar(parseWords),
    otherwise: 'none',
    expects: 'a user name',
    example: 'tandem',
    summary: 'Whom to log in as.',
  }),
  'lease.etcd.password': optional({
    parse: scalar(parseWords),
    otherwise: 'none',
    expects: 'a password',
    example: '${ETCD_PASSWORD}',
    summary: 'The password of that user.',
    isSecret: true,
  }),
  'lease.etcd.ca-file': optional({
    parse: scalar(parsePath),
    otherwise: 'the well-known ones',
    expects: FILE,
    example: '/run/etcd/ca.crt',
    summary: 'The certificates that etcd is trusted by.',
  }),
  'lease.etcd.cert-file': optional({
    parse: scalar(parsePath),
    otherwise: 'none',
    expects: FILE,
    example: '/run/etcd/tls.crt',
    summary: "The node's own certificate for etcd, together with `key-file`.",
  }),
  'lease.etcd.key-file': optional({
    parse: scalar(parsePath),
    otherwise: 'none',
    expects: FILE,
    example: '/run/etcd/tls.key',
    summary: 'The key of that certificate.',
  }),
  'lease.consul.url': optional({
    parse: scalar(parseConsulAddress),
    otherwise: 'required with `lease.type: consul`',
    expects: 'a URL',
    example: 'http://127.0.0.1:8500',
    summary: 'Consul. A password in it is the token, a path goes before the key, as in LiteFS.',
  }),
  'lease.consul.key': optional({
    parse: scalar(parseWords),
    otherwise: 'required with `lease.type: consul`',
    expects: 'a key',
    example: 'shop/primary',
    summary: 'The key that the nodes compete for. Each cluster needs its own.',
  }),
  'lease.consul.token': optional({
    parse: scalar(parseWords),
    otherwise: 'the password in the URL',
    expects: 'a token',
    example: '${CONSUL_TOKEN}',
    summary: 'The ACL token.',
    isSecret: true,
  }),
  'lease.consul.lock-delay': setting({
    parse: scalar(duration({ min: 0, max: 60_000 })),
    defaultText: '1s',
    expects: TIME,
    example: '5s',
    summary: 'Nobody gets the lock for so long after a session ended by itself.',
  }),
  'lease.consul.ca-file': optional({
    parse: scalar(parsePath),
    otherwise: 'the well-known ones',
    expects: FILE,
    example: '/run/consul/ca.crt',
    summary: 'The certificates that Consul is trusted by.',
  }),
  'acknowledge.mode': setting({
    parse: scalar(oneOf(['none', 'one', 'majority'] as const)),
    defaultText: 'none',
    expects: 'none, one or majority',
    example: 'one',
    summary:
      'How many replicas must have a write before it is answered: none, one, or so many that a ' +
      'majority of the nodes has it.',
  }),
  'acknowledge.timeout': setting({
    parse: scalar(duration({ min: 1, max: 3_600_000 })),
    defaultText: '5s',
    expects: TIME,
    example: '10s',
    summary: 'How long a write waits for that.',
  }),
  'acknowledge.on-timeout': setting({
    parse: scalar(oneOf(['degrade', 'block'] as const)),
    defaultText: 'degrade',
    expects: 'degrade or block',
    example: 'block',
    summary:
      'What happens then: go on without, which metrics and readiness tell, or wait on for as long as ' +
      'it takes.',
  }),
} as const;
