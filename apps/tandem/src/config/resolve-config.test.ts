import { describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.ts';
import { imaginedMachine, linesOf, reportOn } from './imagined-machine.ts';
import { formatOrigin } from './origin.ts';
import { isServiceLink } from './overriding-values.ts';
import { configOrThrow, resolveConfig } from './resolve-config.ts';
import { SETTING_ENTRIES, SETTING_KEYS, variableOf, type SettingKey } from './settings.ts';
import { scalarOf } from './config-node.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';
const ONE = 'databases:\n  folder: /data\n';

const originOf = (report: ReturnType<typeof reportOn>, key: SettingKey) => {
  const shown = report.values.get(key);
  return shown === undefined ? undefined : formatOrigin(shown.origin);
};

describe('one node', () => {
  it('needs nothing but the folder of its databases', () => {
    const report = reportOn(ONE);
    expect(report.notes).toEqual([]);
    expect(report.config).toMatchObject({
      filePath: '/etc/tandem.yml',
      format: 'tandem',
      databases: { folder: '/data', include: ['**'], exclude: [], journalMode: 'switch' },
      state: { folder: '/data/.tandem' },
      node: { name: 'alpha', uid: null, advertiseUrl: 'http://127.0.0.1:20202' },
      cluster: { id: null, onMismatch: 'set-aside', nodes: 1 },
      lease: {
        type: 'static',
        isAlone: true,
        candidate: true,
        primary: { kind: 'name', name: 'alpha' },
        primaryUrl: 'http://127.0.0.1:20202',
      },
      acknowledge: { mode: 'none', timeoutMs: 5000, onTimeout: 'degrade' },
      http: { listen: { host: '127.0.0.1', port: 20_202 }, token: null, isOpenOnLoopback: true },
      proxy: null,
      backup: null,
      commands: [],
      exec: null,
      logRetention: { ageMs: 3_600_000, bytes: 2 ** 30 },
      repair: { bytesPerSecond: null },
      log: { format: 'json', level: 'info' },
      skipSync: false,
      exitOnError: true,
      sync: 'full',
      checkpoint: { pages: 300, pagesMax: 1000 },
    });
  });

  it('needs no file', () => {
    const flags = ['databases.folder=db'];
    const machine = imaginedMachine({ hostName: 'localhost' });
    const { config } = resolveConfig({ file: null, flags, command: null, env: {}, machine });
    expect(config?.databases.folder).toBe('/work/db');
    expect(config?.node.name).toBe('node');
    expect(config?.filePath).toBeNull();
  });

  it('listens everywhere once there is a token', () => {
    const { config } = reportOn(`${ONE}http: {token: ${TOKEN}}`);
    expect(config?.http).toMatchObject({
      listen: { host: '::', port: 20_202 },
      token: TOKEN,
      isOpenOnLoopback: false,
    });
  });
});

describe('values', () => {
  it('are those of flags before variables before the file before defaults', () => {
    const text = `${ONE}acknowledge:\n  timeout: 1s\n`;
    const env = { TANDEM_ACKNOWLEDGE_TIMEOUT: '2s' };
    const flags = ['acknowledge.timeout=3s'];
    const timeouts = [reportOn(ONE), reportOn(text), reportOn(text, { env })].concat(
      reportOn(text, { env, flags }),
    );
    expect(timeouts.map(({ config }) => config?.acknowledge.timeoutMs)).toEqual([
      5000, 1000, 2000, 3000,
    ]);
    expect(timeouts.map((report) => originOf(report, 'acknowledge.timeout'))).toEqual([
      'default',
      '/etc/tandem.yml:4',
      'env TANDEM_ACKNOWLEDGE_TIMEOUT',
      '--set acknowledge.timeout',
    ]);
  });

  it('are read in their units', () => {
    const { config } = reportOn(`${ONE}
log-retention: {age: 1h30m, size: 64MiB}
repair:
  bytes-per-second: 1.5MB
lease:
  duration: 30s
acknowledge:
  timeout: 250ms
`);
    expect(config?.logRetention).toEqual({ ageMs: 5_400_000, bytes: 67_108_864 });
    expect(config?.repair.bytesPerSecond).toBe(1_500_000);
    expect(config?.lease.timings).toEqual({
      durationMs: 30_000,
      renewDeadlineMs: 20_000,
      retryMs: 4000,
      marginMs: 5000,
    });
    expect(config?.acknowledge.timeoutMs).toBe(250);
  });

  it('that are relative paths begin at the folder of the file, or at the current one', () => {
    const env = { TANDEM_STATE_FOLDER: 'state' };
    const { config } = reportOn('databases:\n  folder: ./db\n', { env });
    expect(config?.databases.folder).toBe('/etc/db');
    expect(config?.state.folder).toBe('/work/state');
  });

  it('may be lists of YAML or texts with commas', () => {
    const inFile = reportOn(`${ONE}  include:\n    - a.db\n    - b/*\n`);
    const env = { TANDEM_DATABASES_INCLUDE: 'a.db, b/*' };
    expect(inFile.config?.databases.include).toEqual(['a.db', 'b/*']);
    expect(reportOn(ONE, { env }).config?.databases.include).toEqual(['a.db', 'b/*']);
  });

  it('cannot be changed afterwards', () => {
    const { config } = reportOn(ONE);
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config?.lease.timings)).toBe(true);
    expect(Object.isFrozen(config?.databases.include)).toBe(true);
  });

  it('are not expanded when that is not wanted', () => {
    const text = 'databases:\n  folder: /data/$X\n';
    expect(reportOn(text, { expandsVariables: false }).config?.databases.folder).toBe('/data/$X');
    expect(reportOn(text, { env: { X: 'y' } }).config?.databases.folder).toBe('/data/y');
  });

  it('may be repeated by aliases', () => {
    const { config } = reportOn(`databases:\n  folder: &f /data/a\nstate:\n  folder: *f\n`);
    expect(config).toBeNull();
    const good = reportOn(`${ONE}acknowledge: {timeout: &t 2s}\nlease: {reconnect-delay: *t}\n`);
    expect(good.config?.lease.reconnectDelayMs).toBe(2000);
  });
});

describe('three pods', () => {
  const text = `
databases: {folder: /data}
http: {token: "\${SECRET}"}
lease: {type: kubernetes, candidate: ordinal < 2, preset: slow-store}
acknowledge: {mode: one}
proxy: {listen: ":8080", target: "localhost:3000"}
commands:
  - cmd: node migrate.js
    if-primary: true
exec: node server.js
`;
  const env = {
    SECRET: TOKEN,
    POD_NAME: 'shop-1',
    POD_IP: '10.0.0.7',
    POD_UID: 'u-1',
    POD_NAMESPACE: 'prod',
    KUBERNETES_SERVICE_HOST: '10.96.0.1',
  };

  it('take who they are from the downward API', () => {
    const { config } = reportOn(text, { env });
    expect(config).toMatchObject({
      node: { name: 'shop-1', uid: 'u-1', advertiseUrl: 'http://10.0.0.7:20202' },
      lease: {
        type: 'kubernetes',
        candidate: true,
        isAlone: false,
        leaseName: 'shop-tandem',
        namespace: 'prod',
        apiServerUrl: null,
        timings: { durationMs: 30_000 },
      },
      proxy: {
        listen: { host: '::', port: 8080 },
        targetUrl: 'http://localhost:3000',
        advertiseUrl: 'http://10.0.0.7:8080',
        database: null,
      },
      commands: [{ program: '/bin/node', words: ['node', 'migrate.js'], condition: 'if-primary' }],
      exec: { program: '/bin/node', words: ['node', 'server.js'], condition: 'always' },
    });
  });

  it('share one file by which the third is no candidate', () => {
    const { config } = reportOn(text, { env: { ...env, POD_NAME: 'shop-2' } });
    expect(config?.lease.candidate).toBe(false);
  });

  it('listen with TLS under https', () => {
    const machine = imaginedMachine({ files: { '/c': '-', '/k': '-' } });
    const tls = `${text}\nrepair: {}\n`.replace('http: {', 'http: {tls: {cert: /c, key: /k}, ');
    const { config } = reportOn(tls, { env, machine });
    expect(config?.node.advertiseUrl).toBe('https://10.0.0.7:20202');
    expect(config?.http.tls).toEqual({
      certFile: '/c',
      keyFile: '/k',
      caFile: null,
      requireClientCertificate: false,
    });
  });
});

describe('a static lease', () => {
  const text = `
databases: {folder: /data}
http: {token: ${TOKEN}}
acknowledge: {mode: majority}
lease:
  static:
    primary: alpha
    peers:
      alpha: http://10.0.0.7:20202
      beta: http://10.0.0.8:20202
`;

  it('makes one primary from one file', () => {
    const on = (hostName: string) => reportOn(text, { machine: imaginedMachine({ hostName }) });
    expect(on('alpha').config?.lease).toMatchObject({
      candidate: true,
      isAlone: false,
      primaryUrl: 'http://10.0.0.7:20202',
      peers: { alpha: 'http://10.0.0.7:20202', beta: 'http://10.0.0.8:20202' },
    });
    expect(on('alpha').config?.node.advertiseUrl).toBe('http://10.0.0.7:20202');
    expect(on('beta').config?.lease).toMatchObject({
      candidate: false,
      primary: { kind: 'name', name: 'alpha' },
      primaryUrl: 'http://10.0.0.7:20202',
    });
    expect(on('beta').config?.node.advertiseUrl).toBe('http://10.0.0.8:20202');
    expect(on('beta').config?.cluster.nodes).toBe(2);
  });

  it('takes peers from a variable', () => {
    const env = {
      TANDEM_DATABASES_FOLDER: '/data',
      TANDEM_HTTP_TOKEN: TOKEN,
      TANDEM_LEASE_STATIC_PRIMARY: '0',
      TANDEM_LEASE_STATIC_PEERS: 'web-0=http://a:1,web-1=http://b:2',
      POD_NAME: 'web-1',
    };
    const machine = imaginedMachine();
    const { config } = resolveConfig({ file: null, flags: [], command: null, env, machine });
    expect(config?.lease).toMatchObject({ candidate: false, primaryUrl: 'http://a:1' });
    expect(config?.node.advertiseUrl).toBe('http://b:2');
  });
});

describe('etcd, consul and a backup', () => {
  it('take what their clients need', () => {
    const etcd = reportOn(
      `${ONE}
http: {token: ${TOKEN}}
node: {advertise-url: http://10.0.0.7:20202}
lease:
  type: etcd
  etcd: {endpoints: ["http://a:2379", "http://b:2379"], prefix: /t, user: u, password: p}
backup:
  url: s3://bucket/x?region=eu-central-1
  access-key-id-variable: KEY
  secret-access-key-variable: SECRET
  retention: 720h
`,
      { env: { KEY: 'id', SECRET: 'secret' } },
    );
    expect(etcd.config?.lease).toMatchObject({
      type: 'etcd',
      endpoints: ['http://a:2379', 'http://b:2379'],
      prefix: '/t',
      user: 'u',
      password: 'p',
      tls: { caFile: null, certFile: null, keyFile: null },
    });
    expect(etcd.config?.backup).toEqual({
      url: 's3://bucket/x?region=eu-central-1',
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
      intervalMs: 1000,
      snapshotIntervalMs: 86_400_000,
      retentionMs: 2_592_000_000,
    });
    const consul = reportOn(`${ONE}
http: {token: ${TOKEN}}
backup: {url: backups}
lease:
  type: consul
  consul: {url: "http://:acl@127.0.0.1:8500/pre", key: shop/primary, lock-delay: 5s}
`);
    expect(consul.config?.lease).toMatchObject({
      type: 'consul',
      url: 'http://:acl@127.0.0.1:8500/pre',
      key: 'shop/primary',
      lockDelayMs: 5000,
    });
    expect(consul.config?.backup).toMatchObject({ url: '/etc/backups', credentials: null });
  });
});

describe('commands', () => {
  it('of a list as in LiteFS end with the application', () => {
    const { config } = reportOn(`${ONE}commands: node first.js
exec:
  - cmd: node second.js
    if-candidate: true
  - node server.js --port "80 81"
`);
    expect(config?.commands.map(({ words, condition }) => [words[1], condition])).toEqual([
      ['first.js', 'always'],
      ['second.js', 'if-candidate'],
    ]);
    expect(config?.exec?.words).toEqual(['node', 'server.js', '--port', '80 81']);
  });

  it('after -- replace exec and keep commands', () => {
    const text = `${ONE}commands: [node migrate.js]\nexec: node other.js\n`;
    const report = reportOn(text, { command: ['sh', '-c', 'a && b'] });
    expect(report.config?.exec).toEqual({
      program: '/bin/sh',
      words: ['sh', '-c', 'a && b'],
      condition: 'always',
    });
    expect(report.config?.commands).toHaveLength(1);
    expect(linesOf(report, 'warning')).toEqual([]);
  });
});

describe('the table of keys', () => {
  it('makes a variable of each key that no Service can make', () => {
    const variables = SETTING_KEYS.map((key) => variableOf(key));
    expect(new Set(variables).size).toBe(variables.length);
    const values = ['tcp://10.0.0.1:80', '10.0.0.1', '80'];
    const clashes = variables.filter((name) => values.some((value) => isServiceLink(name, value)));
    expect(clashes).toEqual([]);
  });

  it.each(SETTING_ENTRIES)('has a valid example and default for %s', (_, entry) => {
    const texts = [entry.example, ...(entry.defaultText === null ? [] : [entry.defaultText])];
    for (const text of texts) {
      const shown = entry.isSecret ? TOKEN : text;
      expect(entry.parse(scalarOf(shown), { folder: '/' })).toHaveProperty('value');
    }
    expect(entry.defaultText === null).toBe(entry.otherwise !== '');
  });
});

describe('configOrThrow', () => {
  it('gives the configuration, or throws one error that names all', () => {
    expect(configOrThrow(reportOn(ONE)).databases.folder).toBe('/data');
    const wrong = () => configOrThrow(reportOn('sync: maybe\nfoo: 1\n'));
    expect(wrong).toThrow(ConfigError);
    expect(wrong).toThrow(/foo.*\n.*sync.*\n.*databases\.folder/s);
    const single = () => configOrThrow(reportOn(`${ONE}sync: maybe\n`));
    expect(single).toThrow(
      expect.objectContaining({
        code: 'config_bad_value',
        message: "sync in /etc/tandem.yml, line 3, is 'maybe', which is none of full, none.",
        hint: 'Write full or none, for example none.',
      }),
    );
  });
});

describe('the limit for acknowledgements in the proxy', () => {
  const proxy = "{listen: ':8080', target: 'localhost:3000', confirm-timeout: 3s}";
  const text = `${ONE}http: {token: ${TOKEN}}\nproxy: ${proxy}\n`;
  const peers = '{alpha: "http://a:1", beta: "http://b:1"}';
  const lease = `lease: {static: {primary: alpha, peers: ${peers}}}\n`;

  it('is a setting', () => {
    const { config } = reportOn(text);
    expect(config?.proxy?.tuning.confirmTimeoutMs).toBe(3000);
  });

  it('is warned of when writes fail by it that are meant to be let pass', () => {
    const warned = (acknowledge: string) =>
      linesOf(
        reportOn(`${text}${lease}acknowledge: ${acknowledge}
`),
        'warning',
      ).filter((line) => line.includes('confirm-timeout'));
    expect(warned('{mode: one}')).toEqual([
      'proxy.confirm-timeout is not above acknowledge.timeout, so writes fail with 504 instead of ' +
        'being let pass. Give more than 5s.',
    ]);
    expect(warned('{mode: one, timeout: 1s}')).toEqual([]);
    expect(warned('{mode: one, on-timeout: block}')).toEqual([]);
    expect(warned('{mode: none}')).toEqual([]);
  });
});
