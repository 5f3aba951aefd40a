import { parseListenAddress } from './listen-address.ts';
import {
  listOf,
  parseBoolean,
  parsePath,
  parsePathRule,
  parseServerUrl,
  parseTarget,
  parseToken,
  parseWords,
  scalar,
} from './parse-text.ts';
import { byteCount, duration } from './quantity.ts';
import { optional, setting } from './setting.ts';

const TIMER_MS_MAX = 2 ** 31 - 1;
const TIME = 'a time such as 10s or 1m30s';
const TIME_OR_NONE = 'a time such as 10s, or 0 for none';
const FLAG = 'true or false';
const FILE = 'the path of a file in PEM form';
const ADDRESS = 'address:port, or :port for all addresses';

const timeout = duration({ min: 0, max: TIMER_MS_MAX });

/** Keys about what listens, and about the proxy. */
export const HTTP_SETTINGS = {
  'http.listen': optional({
    parse: scalar(parseListenAddress),
    otherwise: '`:20202`; `127.0.0.1:20202` for one node by itself without a token',
    expects: ADDRESS,
    example: ':20202',
    summary: 'Where the HTTP interface and the replication stream listen.',
  }),
  'http.token': optional({
    parse: scalar(parseToken),
    otherwise: 'none',
    expects: 'a secret of 16 characters or more',
    example: '${TANDEM_SECRET}',
    summary:
      'The secret that nodes and tools show. The same on all nodes. Without it, only client ' +
      'certificates or programs of the same machine are let in.',
    isSecret: true,
  }),
  'http.token-file': optional({
    parse: scalar(parsePath),
    otherwise: 'none',
    expects: 'the path of a file',
    example: '/run/secrets/tandem-token',
    summary: 'A file that holds the token, instead of `http.token`.',
  }),
  'http.open-on-loopback': optional({
    parse: scalar(parseBoolean),
    otherwise: '`true` without a token, else `false`',
    expects: FLAG,
    example: 'false',
    summary: 'Whether programs of the same machine (in a pod: of the same pod) need no token.',
  }),
  'http.tls.cert': optional({
    parse: scalar(parsePath),
    otherwise: 'no TLS',
    expects: FILE,
    example: '/run/tls/tls.crt',
    summary: 'The certificate of this node, with its chain.',
  }),
  'http.tls.key': optional({
    parse: scalar(parsePath),
    otherwise: 'no TLS',
    expects: FILE,
    example: '/run/tls/tls.key',
    summary: 'The key of that certificate.',
  }),
  'http.tls.ca': optional({
    parse: scalar(parsePath),
    otherwise: 'the well-known ones',
    expects: FILE,
    example: '/run/tls/ca.crt',
    summary: 'The certificates that the other nodes are trusted by.',
  }),
  'http.tls.require-client-certificate': setting({
    parse: scalar(parseBoolean),
    defaultText: 'false',
    expects: FLAG,
    example: 'true',
    summary: 'Whether whoever connects must show a certificate that `http.tls.ca` has signed.',
  }),
  'proxy.listen': optional({
    parse: scalar(parseListenAddress),
    otherwise: 'no proxy',
    expects: ADDRESS,
    example: ':8080',
    summary: 'Where the proxy listens that clients of the application connect to.',
  }),
  'proxy.target': optional({
    parse: scalar(parseTarget),
    otherwise: 'no proxy',
    expects: 'the address of the application, such as localhost:3000',
    example: 'localhost:3000',
    summary: 'Where the application of this node listens.',
  }),
  'proxy.advertise-url': optional({
    parse: scalar(parseServerUrl),
    otherwise: 'the host of `node.advertise-url` with the port of `proxy.listen`',
    expects: 'a URL with scheme, host and port',
    example: 'http://10.0.0.7:8080',
    summary: 'Where the proxies of other nodes send writes while this node is primary.',
  }),
  'proxy.database': optional({
    parse: scalar(parseWords),
    otherwise: 'all databases',
    expects: 'the name of a database',
    example: 'shop.db',
    summary:
      'The only database that counts for what a client has seen, for an application that reads one ' +
      'through the proxy and writes others all the time.',
  }),
  'proxy.passthrough': optional({
    parse: listOf(parsePathRule),
    otherwise: 'none',
    expects: 'a list of paths, in which `*` is any run of characters',
    example: '/assets/*, *.css',
    summary: 'Paths that go straight to the application, without waiting and without a cookie.',
  }),
  'proxy.always-forward': optional({
    parse: listOf(parsePathRule),
    otherwise: 'none',
    expects: 'a list of paths, in which `*` is any run of characters',
    example: '/login/callback',
    summary: 'Paths whose GETs are treated as writes.',
  }),
  'proxy.max-lag': setting({
    parse: scalar(timeout),
    defaultText: '10s',
    expects: 'a time such as 10s, or 0 for never',
    example: '30s',
    summary: 'The lag from which on the health check fails.',
  }),
  'proxy.primary-redirect-timeout': setting({
    parse: scalar(timeout),
    defaultText: '5s',
    expects: TIME_OR_NONE,
    example: '30s',
    summary: 'How long a write waits while no primary is known; then the answer is 503.',
  }),
  'proxy.read-wait-timeout': setting({
    parse: scalar(timeout),
    defaultText: '5s',
    expects: TIME_OR_NONE,
    example: '1s',
    summary: "How long a read waits until this node has what the client's cookie names.",
  }),
  'proxy.confirm-timeout': setting({
    parse: scalar(duration({ min: 1, max: TIMER_MS_MAX })),
    defaultText: '10s',
    expects: TIME,
    example: '30s',
    summary:
      'How long the answer to a write waits for acknowledgements at the most; then it is 504. With ' +
      '`acknowledge.on-timeout: degrade`, `acknowledge.timeout` comes first and should be shorter.',
  }),
  'proxy.read-timeout': setting({
    parse: scalar(timeout),
    defaultText: '0s',
    expects: TIME_OR_NONE,
    example: '1m',
    summary: 'For reading a whole request.',
  }),
  'proxy.read-header-timeout': setting({
    parse: scalar(timeout),
    defaultText: '10s',
    expects: TIME_OR_NONE,
    example: '5s',
    summary: "For reading a request's head.",
  }),
  'proxy.write-timeout': setting({
    parse: scalar(timeout),
    defaultText: '0s',
    expects: TIME_OR_NONE,
    example: '1m',
    summary: 'From the head of a request to the end of its answer. Event streams are exempt.',
  }),
  'proxy.idle-timeout': setting({
    parse: scalar(timeout),
    defaultText: '30s',
    expects: TIME,
    example: '75s',
    summary: "How long a client's idle connection is kept.",
  }),
  'proxy.body-size': setting({
    parse: scalar(byteCount({ min: 0, max: 2 ** 31 })),
    defaultText: '1MiB',
    expects: 'a size such as 1MiB',
    example: '8MiB',
    summary:
      'How much of a body is kept in memory, so that it can be sent again when the primary changes. ' +
      'Larger bodies are forwarded all the same.',
  }),
  'proxy.secure-cookie': setting({
    parse: scalar(parseBoolean),
    defaultText: 'false',
    expects: FLAG,
    example: 'true',
    summary: 'Whether the cookie is for HTTPS only.',
  }),
} as const;
