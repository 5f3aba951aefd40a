import type { SettingKey } from './settings.ts';

/** What becomes of a key of `litefs.yml`. */
export type LitefsKey =
  /** The same thing under a key of ours. */
  | { readonly kind: 'same'; readonly becomes: SettingKey; readonly remark: string }
  /** Read together with others; `remark` says what it means here. */
  | { readonly kind: 'read'; readonly remark: string }
  /** Accepted without effect; `remark` says why, as a sentence. */
  | { readonly kind: 'ignored'; readonly remark: string };

/**
 * All keys of LiteFS 0.5. `docs/guides/moving-from-litefs.md` has the same table; a test compares
 * the two.
 */
export const LITEFS_KEYS: ReadonlyMap<string, LitefsKey> = new Map<string, LitefsKey>([
  ['exit-on-error', same('exit-on-error')],
  ['skip-sync', same('skip-sync')],
  ['strict-verify', ignored("Transactions carry checksums; 'tandem verify' compares databases.")],
  ['exec', same('exec', 'Items may also say `if-primary`. Programs are checked to exist first.')],
  ['data.dir', same('state.folder')],
  ['data.compress', ignored('Transactions are always compressed.')],
  ['data.retention', same('log-retention.age')],
  [
    'data.retention-monitor-interval',
    read(
      'Tandem sweeps by itself; 0 or less still means that nothing is ever removed for its age.',
    ),
  ],
  [
    'fuse.dir',
    same('databases.folder', 'A plain folder, in which the application opens its databases.'),
  ],
  ['fuse.allow-other', ignored('There is no mount: the rights of the folder decide.')],
  ['fuse.debug', ignored('There is no mount. TANDEM_LOG_LEVEL=debug says more.')],
  ['http.addr', same('http.listen', 'Other machines need a token: TANDEM_HTTP_TOKEN.')],
  [
    'http.snapshot-timeout',
    ignored('A snapshot is resumed where it stopped, so it needs no time limit.'),
  ],
  ['lease.type', same('lease.type')],
  [
    'lease.hostname',
    read('Consul: the name of this node (`node.name`). Static: the name of the primary.'),
  ],
  [
    'lease.advertise-url',
    read(
      'Consul: the URL of this node (`node.advertise-url`). Static: the URL of the primary ' +
        '(`lease.static.primary-url`).',
    ),
  ],
  [
    'lease.candidate',
    read(
      'Consul: `lease.candidate`. Static: whether this node is the primary. It may also be a rule, ' +
        'such as `ordinal < 1`.',
    ),
  ],
  ['lease.promote', same('lease.promote')],
  ['lease.reconnect-delay', same('lease.reconnect-delay')],
  [
    'lease.demote-delay',
    same('lease.demote-delay', 'The same: not after a hand-off, which passes the lease on.'),
  ],
  ['lease.databases', same('databases.include', 'As in LiteFS, not on candidates.')],
  ['lease.consul.url', same('lease.consul.url')],
  ['lease.consul.key', same('lease.consul.key')],
  ['lease.consul.ttl', same('lease.duration')],
  ['lease.consul.lock-delay', same('lease.consul.lock-delay')],
  ['proxy.addr', same('proxy.listen')],
  ['proxy.target', same('proxy.target')],
  ['proxy.db', same('proxy.database', 'No longer required.')],
  ['proxy.max-lag', same('proxy.max-lag')],
  ['proxy.debug', ignored('TANDEM_LOG_LEVEL=debug says more.')],
  ['proxy.passthrough', same('proxy.passthrough')],
  ['proxy.always-forward', same('proxy.always-forward')],
  ['proxy.primary-redirect-timeout', same('proxy.primary-redirect-timeout')],
  ['proxy.read-timeout', same('proxy.read-timeout')],
  ['proxy.read-header-timeout', same('proxy.read-header-timeout')],
  ['proxy.write-timeout', same('proxy.write-timeout')],
  ['proxy.idle-timeout', same('proxy.idle-timeout')],
  ['backup.type', read('`file` is kept. `litefs-cloud` is refused: the service ended in 2024.')],
  ['backup.path', same('backup.url', 'For `type: file`.')],
  ['backup.url', read('Of LiteFS Cloud; see `backup.type`.')],
  ['backup.cluster', read('Of LiteFS Cloud; see `backup.type`.')],
  ['backup.auth-token', read('Of LiteFS Cloud; see `backup.type`.')],
  ['log.format', same('log.format')],
  ['log.timestamp', ignored('Every line of the log has a time.')],
  ['log.debug', read('`true` becomes `log.level: debug`.')],
  ['tracing.enabled', ignored('Nothing is traced to files.')],
  ['tracing.path', ignored('Nothing is traced to files.')],
  ['tracing.max-size', ignored('Nothing is traced to files.')],
  ['tracing.max-count', ignored('Nothing is traced to files.')],
  ['tracing.compress', ignored('Nothing is traced to files.')],
]);

/** Keys of older versions of LiteFS, or that people believe it has, with what to write. */
export const LITEFS_OTHER_VERSIONS: ReadonlyMap<string, string> = new Map([
  ['mount-dir', 'Since LiteFS 0.4 it is called fuse.dir.'],
  ['data-dir', 'Since LiteFS 0.4 it is called data.dir.'],
  ['debug', 'Since LiteFS 0.4 it is called log.debug.'],
  ['candidate', 'Since LiteFS 0.4 it is called lease.candidate.'],
  ['retention', 'Since LiteFS 0.4 it is called data.retention.'],
  ['consul', 'Since LiteFS 0.4 it stands below lease, with lease.type: consul.'],
  ['static', 'Since LiteFS 0.4 lease.type: static; static.primary is called lease.candidate.'],
  ['lease.static', 'In litefs.yml the keys of a static lease stand directly below lease.'],
  ['lease.primary', 'In litefs.yml lease.candidate says whether this node is the static primary.'],
  ['lease.ttl', 'It is called lease.consul.ttl.'],
  ['lease.lock-delay', 'It is called lease.consul.lock-delay.'],
  ['lease.key', 'It is called lease.consul.key.'],
  ['lease.url', 'It is called lease.consul.url.'],
  ['cluster-id', 'LiteFS never had it. Set TANDEM_CLUSTER_ID in the environment.'],
  ['lease.cluster-id', 'LiteFS never had it. Set TANDEM_CLUSTER_ID in the environment.'],
  ['backup.s3', 'LiteFS never had it. Set TANDEM_BACKUP_URL=s3://… in the environment.'],
  ['s3', 'LiteFS never had it. Set TANDEM_BACKUP_URL=s3://… in the environment.'],
  ['log.level', 'LiteFS has log.debug; or set TANDEM_LOG_LEVEL in the environment.'],
]);

/** LiteFS's defaults where ours differ. */
export const LITEFS_DEFAULTS: ReadonlyMap<SettingKey, string> = new Map<SettingKey, string>([
  ['databases.folder', '/litefs'],
  ['state.folder', '/var/lib/litefs'],
  ['log-retention.age', '10m'],
  ['log.format', 'text'],
  ['http.open-on-loopback', 'true'],
]);

function same(becomes: SettingKey, remark = ''): LitefsKey {
  return { kind: 'same', becomes, remark };
}

function read(remark: string): LitefsKey {
  return { kind: 'read', remark };
}

function ignored(remark: string): LitefsKey {
  return { kind: 'ignored', remark };
}
