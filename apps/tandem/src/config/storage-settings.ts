import {
  listOf,
  oneOf,
  parseClusterId,
  parsePath,
  parseServerUrl,
  parseVariableName,
  parseWords,
  scalar,
  unless,
} from './parse-text.ts';
import { parseNodeName } from './node-name.ts';
import { byteCount, duration, wholeNumber } from './quantity.ts';
import { optional, setting } from './setting.ts';

const DAY_MS = 86_400_000;
const YEAR_MS = 366 * DAY_MS;
const MIB = 2 ** 20;
const TIMER_MS_MAX = 2 ** 31 - 1;

const TIME = 'a time such as 10s or 1m30s';
const SIZE = 'a size such as 64MiB';
const VARIABLE = 'the name of an environment variable';

/** Keys about what a node keeps, and for how long. */
export const STORAGE_SETTINGS = {
  'databases.folder': optional({
    parse: scalar(parsePath),
    otherwise: 'required',
    expects: 'the path of a folder',
    example: '/data',
    summary:
      'The folder in which the application opens its databases, folders in it included. A relative ' +
      'path begins at the folder of the configuration file.',
  }),
  'databases.include': setting({
    parse: listOf(parseWords),
    defaultText: '**',
    expects: 'a list of patterns',
    example: 'shop.db, tenants/**',
    summary:
      'Which databases of the primary are replicated. `*` stands for anything but `/`, `**` for anything; a pattern ' +
      'without `/` is compared with the name of the file in any folder. Hidden files never count. The patterns of the ' +
      'primary decide for all nodes: give every node that may lead the same.',
  }),
  'databases.exclude': optional({
    parse: listOf(parseWords),
    otherwise: 'none',
    expects: 'a list of patterns',
    example: 'cache.db',
    summary: 'Which of these are left alone all the same.',
  }),
  'databases.journal-mode': setting({
    parse: scalar(oneOf(['switch', 'refuse'] as const)),
    defaultText: 'switch',
    expects: 'switch or refuse',
    example: 'refuse',
    summary:
      'What happens to a database that is not in WAL mode: it is switched to it, or left ' +
      'unreplicated with a message that says how to switch it.',
  }),
  'databases.busy-timeout': setting({
    parse: scalar(duration({ min: 1, max: 600_000 })),
    defaultText: '5s',
    expects: TIME,
    example: '10s',
    summary: 'How long Tandem waits for locks that the application holds.',
  }),
  'state.folder': optional({
    parse: scalar(parsePath),
    otherwise: '`.tandem` in `databases.folder`',
    expects: 'the path of a folder',
    example: '/var/lib/tandem',
    summary:
      'Where this node keeps its log of transactions, its cluster id and what it has set aside. ' +
      'Each node needs its own.',
  }),
  'node.name': optional({
    parse: scalar(parseNodeName),
    otherwise: '`POD_NAME`, else the name of the host',
    expects: 'the name of this node',
    example: 'web-0',
    summary: 'By what the other nodes know this one. It must differ from theirs.',
  }),
  'node.advertise-url': optional({
    parse: scalar(parseServerUrl),
    otherwise: 'from `lease.static.peers`, `POD_IP`, `http.listen` or the name, in this order',
    expects: 'a URL with scheme, host and port',
    example: 'http://10.0.0.7:20202',
    summary: 'Where the other nodes reach the HTTP interface of this one.',
  }),
  'cluster.id': optional({
    parse: scalar(parseClusterId),
    otherwise: 'made by the first primary',
    expects: 'an id of at most 64 visible ASCII characters',
    example: 'LFSC0123456789ABCDEF',
    summary: 'Which cluster the node belongs to. Rarely needed: nodes learn it from the primary.',
  }),
  'cluster.on-mismatch': setting({
    parse: scalar(oneOf(['set-aside', 'refuse'] as const)),
    defaultText: 'set-aside',
    expects: 'set-aside or refuse',
    example: 'refuse',
    summary:
      'What a node does that holds data of another cluster: it moves the data to the quarantine and ' +
      'joins, or it does not join.',
  }),
  'cluster.nodes': optional({
    parse: scalar(wholeNumber({ min: 1, max: 100 })),
    otherwise: 'the number of `lease.static.peers`, else 1',
    expects: 'a whole number of nodes',
    example: '3',
    summary: 'How many nodes there are. `acknowledge.mode: majority` counts by it.',
  }),
  'log-retention.age': setting({
    parse: scalar(duration({ min: 1000, max: YEAR_MS })),
    defaultText: '1h',
    expects: TIME,
    example: '24h',
    summary:
      'Transactions older than this may leave the log. A replica that is further behind is repaired ' +
      'by the pages that differ.',
  }),
  'log-retention.size': setting({
    parse: scalar(byteCount({ min: MIB, max: 2 ** 50 })),
    defaultText: '1GiB',
    expects: SIZE,
    example: '10GiB',
    summary: 'Above this size, the oldest transactions of a database leave its log, however young.',
  }),
  'repair.bytes-per-second': setting({
    parse: scalar(unless('none', byteCount({ min: 1024, max: 2 ** 50 }))),
    defaultText: 'none',
    expects: 'a size such as 50MiB, or none',
    example: '50MiB',
    summary:
      'The most that a primary sends for repairs of all replicas together. `none`: no limit.',
  }),
  'backup.url': optional({
    parse: scalar(parseWords),
    otherwise: 'no backup',
    expects: 'a path or an s3:// address',
    example: 's3://bucket/shop?region=eu-central-1',
    summary:
      'Where the primary keeps a backup: a path, `file:///path`, or `s3://bucket/prefix` with ' +
      "`?endpoint=…`, `region=…` and `force-path-style=…`. Litestream's restore reads it too.",
  }),
  'backup.access-key-id-variable': setting({
    parse: scalar(parseVariableName),
    defaultText: 'AWS_ACCESS_KEY_ID',
    expects: VARIABLE,
    example: 'BACKUP_KEY_ID',
    summary: 'The variable that holds the id of the access key.',
  }),
  'backup.secret-access-key-variable': setting({
    parse: scalar(parseVariableName),
    defaultText: 'AWS_SECRET_ACCESS_KEY',
    expects: VARIABLE,
    example: 'BACKUP_KEY_SECRET',
    summary: 'The variable that holds the secret access key.',
  }),
  'backup.session-token-variable': setting({
    parse: scalar(parseVariableName),
    defaultText: 'AWS_SESSION_TOKEN',
    expects: VARIABLE,
    example: 'BACKUP_SESSION_TOKEN',
    summary: 'The variable that holds the session token, where there is one.',
  }),
  'backup.interval': setting({
    parse: scalar(duration({ min: 100, max: DAY_MS })),
    defaultText: '1s',
    expects: TIME,
    example: '10s',
    summary: 'How often new transactions are uploaded: what a lost primary without replicas costs.',
  }),
  'backup.snapshot-interval': setting({
    parse: scalar(duration({ min: 60_000, max: TIMER_MS_MAX })),
    defaultText: '24h',
    expects: TIME,
    example: '6h',
    summary: 'How often a whole copy is uploaded.',
  }),
  'backup.retention': setting({
    parse: scalar(duration({ min: 60_000, max: 100 * YEAR_MS })),
    defaultText: '24h',
    expects: TIME,
    example: '720h',
    summary: 'How far back any moment can be restored.',
  }),
  sync: setting({
    parse: scalar(oneOf(['full', 'none'] as const)),
    defaultText: 'full',
    expects: 'full or none',
    example: 'none',
    summary:
      'Whether the log of transactions is synced to the disk before a write is confirmed, and within a ' +
      'second in any case. With `none`, a power cut may take the last ones from this node.',
  }),
  'checkpoint.pages': setting({
    parse: scalar(wholeNumber({ min: 1, max: 1e9 })),
    defaultText: '300',
    expects: 'a whole number of pages',
    example: '4000',
    summary: 'From so many pages in the WAL on, Tandem copies them to the database.',
  }),
  'checkpoint.pages-max': setting({
    parse: scalar(wholeNumber({ min: 1, max: 1e9 })),
    defaultText: '1000',
    expects: 'a whole number of pages',
    example: '100000',
    summary: 'From so many on, writers are held up for a moment so that the WAL can begin anew.',
  }),
} as const;
