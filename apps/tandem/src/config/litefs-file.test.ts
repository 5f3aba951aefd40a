import { describe, expect, it } from 'vitest';
import { imaginedMachine, linesOf, reportOn } from './imagined-machine.ts';
import type { Environment } from './overriding-values.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';

/** Every key of LiteFS 0.5, as its users write them. */
const EVERYTHING = `
# The application sees its databases here, $NOT_EXPANDED in a comment.
fuse:
  dir: "/litefs"
  allow-other: true
  debug: false
data:
  dir: "/var/lib/litefs"
  compress: true
  retention: "20m"
  retention-monitor-interval: "1m"
exit-on-error: false
skip-sync: true
strict-verify: false
http:
  addr: ":20203"
  snapshot-timeout: "10m"
proxy:
  addr: ":8080"
  target: "localhost:8081"
  db: "shop.db"
  max-lag: "15s"
  debug: true
  passthrough: ["*.css", "/healthz"]
  always-forward:
    - "/login"
  primary-redirect-timeout: "3s"
  read-timeout: "0s"
  read-header-timeout: "7s"
  write-timeout: "1m"
  idle-timeout: "40s"
lease:
  type: "consul"
  hostname: "\${HOSTNAME}"
  advertise-url: "http://\${HOSTNAME}:20203"
  candidate: \${REGION == 'ams'}
  promote: true
  reconnect-delay: "2s"
  demote-delay: "20s"
  consul:
    url: "\${CONSUL_URL}"
    key: "shop/primary"
    ttl: "15s"
    lock-delay: "2s"
backup:
  type: "file"
  path: "/backup"
log:
  format: "json"
  timestamp: true
  debug: true
tracing:
  enabled: true
  path: "/var/log/litefs/trace.log"
  max-size: 64
  max-count: 10
  compress: true
exec:
  - cmd: "node migrate.js"
    if-candidate: true
  - cmd: "node server.js -addr :8081"
`;
const ENV = {
  HOSTNAME: 'node-7',
  REGION: 'ams',
  CONSUL_URL: 'http://:acl@10.0.0.2:8500/pre',
  TANDEM_HTTP_TOKEN: TOKEN,
};

const litefs = (text: string, env: Environment = {}, hostName = 'web-1') =>
  reportOn(text, { name: 'litefs.yml', env, machine: imaginedMachine({ hostName }) });

describe('a litefs.yml with every key', () => {
  it('keeps its meaning', () => {
    const report = litefs(EVERYTHING, ENV);
    expect(linesOf(report, 'error')).toEqual([]);
    expect(linesOf(report, 'warning')).toEqual([]);
    expect(report.config).toMatchObject({
      format: 'litefs',
      databases: { folder: '/litefs', include: ['**'] },
      state: { folder: '/var/lib/litefs' },
      node: { name: 'node-7', advertiseUrl: 'http://node-7:20203' },
      http: { listen: { host: '::', port: 20_203 }, token: TOKEN, isOpenOnLoopback: true },
      logRetention: { ageMs: 1_200_000 },
      exitOnError: false,
      skipSync: true,
      lease: {
        type: 'consul',
        candidate: true,
        promote: true,
        reconnectDelayMs: 2000,
        demoteDelayMs: 20_000,
        url: 'http://:acl@10.0.0.2:8500/pre',
        key: 'shop/primary',
        lockDelayMs: 2000,
        timings: { durationMs: 15_000 },
      },
      proxy: {
        listen: { host: '::', port: 8080 },
        targetUrl: 'http://localhost:8081',
        database: 'shop.db',
        tuning: {
          maxLagMs: 15_000,
          passthrough: ['*.css', '/healthz'],
          alwaysForward: ['/login'],
          primaryRedirectTimeoutMs: 3000,
          headerTimeoutMs: 7000,
          writeTimeoutMs: 60_000,
          idleTimeoutMs: 40_000,
        },
      },
      backup: { url: '/backup' },
      log: { format: 'json', level: 'debug' },
      commands: [{ words: ['node', 'migrate.js'], condition: 'if-candidate' }],
      exec: { words: ['node', 'server.js', '-addr', ':8081'] },
    });
  });

  it('has an exec that is empty, inline, one command, or several', () => {
    const read = (exec: string) => {
      const env = { TANDEM_HTTP_TOKEN: TOKEN };
      const { config } = litefs(
        `fuse: {dir: /data}\nlease: {type: static, advertise-url: "http://a:1"}\n${exec}`,
        env,
      );
      return [config?.exec?.words, config?.commands.map(({ words }) => words)];
    };
    const [app, migrate] = [
      ['node', 'server.js'],
      ['node', 'migrate.js'],
    ];
    expect(read('')).toEqual([undefined, []]);
    expect(read('exec: node server.js\n')).toEqual([app, []]);
    expect(read('exec:\n  - cmd: node server.js\n')).toEqual([app, []]);
    expect(read('exec:\n  - cmd: node migrate.js\n  - cmd: node server.js\n')).toEqual([
      app,
      [migrate],
    ]);
  });

  it('is told what has no effect, key by key', () => {
    const lines = linesOf(litefs(EVERYTHING, ENV), 'info');
    expect(lines.filter((line) => line.includes('has no effect'))).toHaveLength(12);
    expect(lines).toContain(
      'fuse.allow-other in /etc/litefs.yml, line 5, has no effect. ' +
        'There is no mount: the rights of the folder decide.',
    );
  });

  it('needs a token, and is told so once', () => {
    const errors = linesOf(litefs(EVERYTHING, { ...ENV, TANDEM_HTTP_TOKEN: '' }), 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain('http.addr in /etc/litefs.yml, line 16, is :20203');
    expect(errors[0]).toContain('LiteFS let everybody read and write there; Tandem does not.');
  });

  it('takes what only Tandem has from the environment', () => {
    const { config } = litefs(EVERYTHING, {
      ...ENV,
      TANDEM_ACKNOWLEDGE_MODE: 'one',
      TANDEM_LEASE_TYPE: 'kubernetes',
      TANDEM_LEASE_KUBERNETES_LEASE: 'shop',
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
    });
    expect(config?.acknowledge.mode).toBe('one');
    expect(config?.lease).toMatchObject({ type: 'kubernetes', leaseName: 'shop' });
  });
});

it('the least litefs.yml has the defaults of LiteFS', () => {
  const text = 'lease: {type: consul, consul: {url: "http://c:8500", key: k}}\n';
  const { config } = litefs(text, { TANDEM_HTTP_TOKEN: TOKEN });
  expect(config).toMatchObject({
    databases: { folder: '/litefs' },
    state: { folder: '/var/lib/litefs' },
    logRetention: { ageMs: 600_000 },
    exitOnError: true,
    lease: { candidate: true, promote: false, timings: { durationMs: 10_000 }, lockDelayMs: 1000 },
    log: { format: 'text', level: 'info' },
    proxy: null,
  });
});

describe('a static lease in litefs.yml', () => {
  const lease = (keys: string) => `lease:\n  type: static\n${keys}`;
  const SHARED = lease(
    "  hostname: web-0\n  advertise-url: http://web-0.web:20202\n  candidate: ${HOSTNAME == 'web-0'}\n",
  );
  const env = { TANDEM_HTTP_TOKEN: TOKEN };

  it('makes one primary from one file', () => {
    const first = litefs(SHARED, env, 'web-0');
    expect(first.config?.lease).toMatchObject({
      type: 'static',
      candidate: true,
      primary: { kind: 'name', name: 'web-0' },
      primaryUrl: 'http://web-0.web:20202',
    });
    expect(first.config?.node).toMatchObject({
      name: 'web-0',
      advertiseUrl: 'http://web-0.web:20202',
    });
    const second = litefs(SHARED, env, 'web-1');
    expect(second.config?.lease).toMatchObject({
      candidate: false,
      primary: { kind: 'name', name: 'web-0' },
      primaryUrl: 'http://web-0.web:20202',
    });
    expect(second.config?.node.name).toBe('web-1');
    expect(second.config?.node.advertiseUrl).toBe('http://web-1:20202');
  });

  it('says nothing of this node when the environment gives another kind of lease', () => {
    const report = litefs(SHARED, {
      ...env,
      TANDEM_LEASE_TYPE: 'kubernetes',
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
      POD_IP: '10.0.0.8',
    });
    expect(report.config).toMatchObject({
      node: { name: 'web-1', advertiseUrl: 'http://10.0.0.8:20202' },
      lease: { type: 'kubernetes', candidate: true, leaseName: 'web-tandem' },
    });
    expect(linesOf(report, 'info')[0]).toBe(
      'lease.hostname in /etc/litefs.yml, line 3, is about the static primary, and ' +
        "TANDEM_LEASE_TYPE is 'kubernetes'. It has no effect.",
    );
  });

  it('takes the host name of the machine when HOSTNAME is overridden', () => {
    const { config } = litefs(SHARED, { ...env, HOSTNAME: '0.0.0.0' }, 'web-0');
    expect(config?.lease.candidate).toBe(true);
  });

  it('without candidate makes this node the primary, and says so', () => {
    const text = lease('  hostname: primary\n  advertise-url: http://primary:20202\n');
    const report = litefs(text, env, 'c0ffee');
    expect(report.config?.lease.candidate).toBe(true);
    expect(report.config?.node.name).toBe('primary');
    expect(linesOf(report, 'warning')[0]).toContain('lease.candidate is not given');
  });

  it('on one machine needs no token and listens there only', () => {
    const text = lease('  advertise-url: http://localhost:20202\n  candidate: true\n');
    expect(litefs(text).config?.http).toMatchObject({
      listen: { host: '127.0.0.1', port: 20_202 },
      token: null,
      isOpenOnLoopback: true,
    });
  });

  it('names the primary after its URL when the host name is that of the node itself', () => {
    const text = lease(
      '  hostname: ${HOSTNAME}\n  advertise-url: http://web-0.web:20202\n  candidate: false\n',
    );
    const report = litefs(text, env, 'web-1');
    expect(report.config?.lease).toMatchObject({ primary: { kind: 'name', name: 'web-0' } });
    expect(linesOf(report, 'warning')[0]).toContain('the name of this node itself');
  });

  it.each([
    [
      'candidate from an unset variable',
      '  advertise-url: http://p:1\n  candidate: ${PRIMARY}\n',
      ['lease.candidate in /etc/litefs.yml, line 4, uses the variable PRIMARY, which is not set.'],
    ],
    [
      'candidate that comes to nothing',
      '  advertise-url: http://p:1\n  candidate: ${EMPTY}\n',
      ["lease.candidate in /etc/litefs.yml, line 4, is '${EMPTY}', which comes to nothing."],
    ],
    [
      'candidate without a value',
      '  advertise-url: http://p:1\n  candidate:\n',
      ['lease.candidate in /etc/litefs.yml, line 4, has no value.'],
    ],
    [
      'a primary by default that its URL contradicts',
      '  advertise-url: http://web-0.web:20202\n',
      [
        'lease.advertise-url in /etc/litefs.yml, line 3, says that the primary is web-0, but ' +
          'lease.candidate makes this node, web-1, the primary.',
      ],
    ],
    [
      'a primary that its host name contradicts',
      '  hostname: web-0\n  advertise-url: http://10.0.0.7:20202\n  candidate: true\n',
      [
        'lease.hostname in /etc/litefs.yml, line 3, says that the primary is web-0, but ' +
          'lease.candidate makes this node, web-1, the primary.',
      ],
    ],
    [
      'a replica that would connect to itself',
      '  advertise-url: http://${HOSTNAME}.web:20202\n  candidate: false\n',
      [
        "lease.advertise-url in /etc/litefs.yml, line 3, is 'http://web-1.web:20202' (written " +
          "'http://${HOSTNAME}.web:20202'), which is this node itself, and it is not the primary.",
      ],
    ],
    [
      'no URL of the primary',
      '  candidate: true\n',
      ['lease.advertise-url is not given, which a static lease needs.'],
    ],
    [
      'a filter of databases on the primary',
      '  advertise-url: http://p:1\n  candidate: true\n  databases: [a.db]\n',
      ['lease.databases in /etc/litefs.yml, line 5, is only for nodes that cannot be primary.'],
    ],
  ])('refuses %s', (_, keys, says) => {
    const report = litefs(lease(keys), { ...env, EMPTY: '' });
    const errors = report.notes.filter(({ level }) => level === 'error');
    expect(errors.map(({ message }) => message)).toEqual(says);
    expect(report.config).toBeNull();
  });

  it('passes over a host name that every machine has', () => {
    const text =
      'lease: {type: consul, hostname: localhost, consul: {url: "http://c:1", key: k}}\n';
    const report = litefs(text, env);
    expect(report.config?.node.name).toBe('web-1');
    expect(linesOf(report, 'warning')[0]).toBe(
      "lease.hostname in /etc/litefs.yml, line 1, is 'localhost', which cannot tell nodes apart, " +
        'and is ignored. This node is called web-1. Remove the line, or write a name.',
    );
  });
});

describe('litefs.yml', () => {
  const BASE = 'lease: {type: consul, consul: {url: "http://c:8500", key: k}}\n';
  const env = { TANDEM_HTTP_TOKEN: TOKEN };
  const errorsOf = (text: string) => linesOf(litefs(text, env), 'error');

  it.each([
    ['mount-dir: /x\n', 'Since LiteFS 0.4 it is called fuse.dir.'],
    ['consul: {url: x}\n', 'Since LiteFS 0.4 it stands below lease, with lease.type: consul.'],
    ['retention: {duration: 1m}\n', 'Since LiteFS 0.4 it is called data.retention.'],
    ['cluster-id: x\n', 'LiteFS never had it. Set TANDEM_CLUSTER_ID in the environment.'],
    ['fuse: {dri: /x}\n', 'Did you mean fuse.dir? If not, remove it.'],
    [
      'acknowledge: {mode: one}\n',
      'acknowledge.mode is a key of tandem.yml: move to that file, or keep litefs.yml and set it ' +
        'as TANDEM_ACKNOWLEDGE_MODE in the environment.',
    ],
    ['zzzzzzzz: 1\n', 'Remove it: LiteFS 0.5 has no such key either.'],
  ])('refuses %s', (text, hint) => {
    expect(errorsOf(BASE + text)).toEqual([
      expect.stringContaining(`is no key of litefs.yml. ${hint}`),
    ]);
  });

  it('needs a kind of lease, as LiteFS does', () => {
    expect(errorsOf('fuse: {dir: /x}\n')).toEqual([
      expect.stringContaining('lease.type is not given, and LiteFS has no default for it.'),
    ]);
  });

  it('refuses LiteFS Cloud, and a backup without a path', () => {
    expect(errorsOf(`${BASE}backup: {type: litefs-cloud}\n`)[0]).toContain('ended in October 2024');
    expect(errorsOf(`${BASE}backup: {type: file}\n`)[0]).toContain('backup.path is not given');
    const report = litefs(BASE, { ...env, LITEFS_CLOUD_TOKEN: 'x' });
    expect(linesOf(report, 'warning')[0]).toContain('LITEFS_CLOUD_TOKEN is set');
  });

  it('refuses one folder for mount and data', () => {
    expect(errorsOf(`${BASE}fuse: {dir: /x}\ndata: {dir: /x}\n`)).toEqual([
      expect.stringContaining('data.dir in /etc/litefs.yml, line 3, is /x, the same as fuse.dir.'),
    ]);
  });

  it('keeps transactions for ever where the sweep was switched off', () => {
    const { config } = litefs(`${BASE}data: {retention-monitor-interval: 0s}\n`, env);
    expect(config?.logRetention.ageMs).toBe(366 * 86_400_000);
  });

  it('takes an empty text for none', () => {
    const report = litefs(`${BASE}proxy: {addr: "", target: ""}\nbackup:\n`, env);
    expect(report.config?.proxy).toBeNull();
    expect(linesOf(report, 'info')).toContain(
      'proxy.addr in /etc/litefs.yml, line 2, is empty, so the default holds.',
    );
  });

  it('is told of data that LiteFS left', () => {
    const folders = { '/var/lib/litefs/dbs': { exists: true } };
    const machine = imaginedMachine({ folders });
    const report = reportOn(BASE, { name: 'litefs.yml', env, machine });
    expect(linesOf(report, 'warning')).toContainEqual(
      expect.stringContaining('/var/lib/litefs holds databases of LiteFS, as dbs/NAME/database'),
    );
  });

  it('is known by its keys where the name says nothing', () => {
    const byKeys = (text: string) => reportOn(text, { name: 'config.yml', env }).format;
    expect(byKeys(`${BASE}fuse: {dir: /x}\n`)).toBe('litefs');
    expect(byKeys('databases: {folder: /x}\n')).toBe('tandem');
    expect(byKeys('exec: node a.js\n')).toBe('tandem');
    const misnamed = litefs('databases: {folder: /x}\n', env);
    expect(linesOf(misnamed, 'warning')[0]).toContain('has the keys of tandem.yml');
  });
});
