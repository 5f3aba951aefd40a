import { describe, expect, it } from 'vitest';
import { imaginedMachine, linesOf, reportOn, type Imagination } from './imagined-machine.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';
const ONE = 'databases: {folder: /data}\n';
const GUARDED = `${ONE}http: {token: ${TOKEN}}\n`;

interface Case {
  readonly name: string;
  readonly text: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly machine?: Imagination;
  /** Parts of the one line that is expected, in order. */
  readonly says: readonly string[];
}

/** What was said instead of `says`, or `says` itself when a line of the level has it all. */
function outcome(level: 'error' | 'warning' | 'info', { text, env = {}, machine, says }: Case) {
  const report = reportOn(text, { env, machine: imaginedMachine(machine) });
  const lines = linesOf(report, level);
  const isSaid = lines.some((line) => inOrder(line, says));
  return { says: isSaid ? says : lines, isUsable: report.config !== null };
}

function inOrder(line: string, parts: readonly string[]): boolean {
  let at = 0;
  return parts.every((part) => {
    const found = line.indexOf(part, at);
    at = found + part.length;
    return found !== -1;
  });
}

const ERRORS: readonly Case[] = [
  {
    name: 'an unknown key',
    text: `${ONE}lease:\n  candidat: true\n`,
    says: ['lease.candidat in /etc/tandem.yml, line 3,', 'no key', 'Did you mean lease.candidate?'],
  },
  {
    name: 'a key of LiteFS in tandem.yml',
    text: `${ONE}fuse:\n  dir: /litefs\n`,
    says: ['fuse in /etc/tandem.yml, line 2,', 'Write databases.folder'],
  },
  {
    name: 'no folder of databases',
    text: 'log: {level: info}\n',
    says: ['databases.folder is not given', '--set databases.folder=/data'],
  },
  {
    name: 'an unset variable',
    text: 'databases:\n  folder: /data\nlease:\n  candidate: ${IS_CANDIDATE}\n',
    says: [
      'lease.candidate in /etc/tandem.yml, line 4, uses the variable IS_CANDIDATE, which is not set.',
      '${IS_CANDIDATE:-VALUE}',
    ],
  },
  {
    name: 'an unset variable in a comparison',
    text: `${ONE}lease:\n  candidate: \${FLY_REGION == PRIMARY_REGION}\n`,
    env: { FLY_REGION: 'x' },
    says: ['uses the variable PRIMARY_REGION', 'Set PRIMARY_REGION'],
  },
  {
    name: 'an empty variable for candidate',
    text: `${ONE}lease:\n  candidate: \${C}\n`,
    env: { C: '' },
    says: [
      "lease.candidate in /etc/tandem.yml, line 3, is '${C}', which comes to nothing.",
      '${C:-',
    ],
  },
  {
    name: 'a key without a value',
    text: `${ONE}lease:\n  candidate:\n  promote: true\n`,
    says: ['lease.candidate in /etc/tandem.yml, line 3, has no value.', 'remove the line for true'],
  },
  {
    name: 'braces that are not understood',
    text: `${ONE}sync: \${A:?message}\n`,
    says: ["sync in /etc/tandem.yml, line 2, is '${A:?message}'", 'not understood', '$$'],
  },
  {
    name: 'a node name that every machine has',
    text: `${GUARDED}node: {name: localhost}\n`,
    says: [
      "node.name in /etc/tandem.yml, line 3, is 'localhost', which cannot be the name of a node",
    ],
  },
  {
    name: 'a node name that is an address, from a variable',
    text: `${GUARDED}node:\n  name: \${NODE}\n`,
    env: { NODE: '0.0.0.0' },
    says: ["node.name in /etc/tandem.yml, line 4, is '0.0.0.0' (written '${NODE}')"],
  },
  {
    name: 'a host without a name of its own among several nodes',
    text: `${GUARDED}lease: {type: consul, consul: {url: "http://c:8500", key: k}}\n`,
    machine: { hostName: 'localhost' },
    says: ['node.name is not given', "'localhost'", 'Write node.name'],
  },
  {
    name: 'a static primary made from HOSTNAME',
    text: `${GUARDED}lease:\n  static:\n    primary: \${HOSTNAME}\n`,
    env: { HOSTNAME: 'alpha' },
    says: [
      'lease.static.primary in /etc/tandem.yml, line 5,',
      'every node would be primary',
      'ordinal',
    ],
  },
  {
    name: 'a static primary made from the variable that names the node',
    text: `${GUARDED}node: {name: "\${ME}"}\nlease:\n  static:\n    primary: \${ME}\n`,
    env: { ME: 'alpha' },
    says: ['every node would be primary'],
  },
  {
    name: 'peers without a primary',
    text: `${GUARDED}lease:\n  static:\n    peers: {alpha: "http://a:1", beta: "http://b:1"}\n`,
    says: ['lease.static.primary is not given', 'every node would take itself for the primary'],
  },
  {
    name: 'a node that is none of the peers',
    text: `${GUARDED}lease:\n  static:\n    primary: b\n    peers: {b: "http://b:1"}\n`,
    says: ['lease.static.peers in /etc/tandem.yml, line 6, names b, but this node is called alpha'],
  },
  {
    name: 'a static primary without an address',
    text: `${GUARDED}lease: {static: {primary: beta}}\n`,
    says: ['lease.static.primary-url is not given', 'no entry for beta'],
  },
  {
    name: 'an ordinal where names have none',
    text: `${GUARDED}lease: {static: {primary: 0, primary-url: "http://a:1"}}\n`,
    says: ['lease.static.primary in', "is '0', which is an ordinal", 'alpha, does not end in one'],
  },
  {
    name: 'a candidate rule by ordinal where names have none',
    text: `${GUARDED}lease: {type: consul, candidate: ordinal < 3, consul: {url: "http://c:1", key: k}}\n`,
    says: ["is 'ordinal < 3', which asks for an ordinal", 'alpha'],
  },
  {
    name: 'a primary that may not be one',
    text: `${GUARDED}lease: {candidate: false, static: {primary: alpha}}\n`,
    says: ['lease.candidate in', 'keeps alpha from being primary', 'Remove lease.candidate'],
  },
  {
    name: 'consul without its keys',
    text: `${GUARDED}lease: {type: consul}\n`,
    says: ['lease.consul.url is not given, which its lease.type needs', 'http://127.0.0.1:8500'],
  },
  {
    name: 'etcd without its prefix',
    text: `${GUARDED}lease: {type: etcd, etcd: {endpoints: "http://e:2379"}}\n`,
    says: ['lease.etcd.prefix is not given', '/tandem/shop'],
  },
  {
    name: 'etcd with a user and no password',
    text: `${GUARDED}lease: {type: etcd, etcd: {endpoints: "http://e:1", prefix: /x, user: u}}\n`,
    says: ['lease.etcd.user in', 'is given without lease.etcd.password'],
  },
  {
    name: 'kubernetes outside a pod',
    text: `${GUARDED}lease: {type: kubernetes, kubernetes: {lease: x}}\n`,
    says: ['KUBERNETES_SERVICE_HOST is not set', 'lease.kubernetes.api-server'],
  },
  {
    name: 'kubernetes without the name of a Lease for pods of no StatefulSet',
    text: `${GUARDED}lease: {type: kubernetes}\n`,
    env: { POD_NAME: 'web-7d9f-x2xyz', KUBERNETES_SERVICE_HOST: '10.96.0.1' },
    says: ['lease.kubernetes.lease is not given', 'shop-tandem'],
  },
  {
    name: 'a renew deadline longer than the lease',
    text: `${ONE}lease:\n  duration: 10s\n  renew-deadline: 12s\n`,
    says: [
      'lease.duration in /etc/tandem.yml, line 3, with lease.renew-deadline in /etc/tandem.yml, line 4,',
      'not longer than the renew deadline',
      'Make the duration longer',
    ],
  },
  {
    name: 'no time for a second attempt',
    text: `${ONE}lease: {retry: 9s}\n`,
    says: ['lease.retry in', 'no time for a second attempt'],
  },
  {
    name: 'a lease shorter than Consul takes',
    text: `${GUARDED}lease: {type: consul, duration: 5s, consul: {url: "http://c:1", key: k}}\n`,
    says: ['lease.duration in', 'is 5s, but a lease of type consul lasts 10s or longer'],
  },
  {
    name: 'a kind of lease that does not exist',
    text: `${ONE}lease: {type: kubernets}\n`,
    says: ["is 'kubernets'", "did you mean 'kubernetes'?"],
  },
  {
    name: 'other machines without a token',
    text: `${ONE}http: {listen: ":20202"}\n`,
    says: [
      'http.listen in /etc/tandem.yml, line 2, is :20202',
      'there is no token',
      'openssl rand',
    ],
  },
  {
    name: 'several nodes without a token',
    text: `${ONE}lease: {type: consul, consul: {url: "http://c:8500", key: k}}\n`,
    says: ['http.listen is :20202', 'there is no token', 'TANDEM_HTTP_TOKEN'],
  },
  {
    name: 'a token that is too short, without showing it',
    text: `${ONE}http: {token: hunter2}\n`,
    says: ['http.token in', 'is set to something, which has less than 16 characters'],
  },
  {
    name: 'a token without variety',
    text: `${ONE}http: {token: aaaaaaaaaaaaaaaaaaaaaaaa}\n`,
    says: ['too easily guessed'],
  },
  {
    name: 'two tokens',
    text: `${ONE}http: {token: ${TOKEN}, token-file: /t}\n`,
    machine: { files: { '/t': TOKEN } },
    says: ['http.token-file in', 'is given beside http.token'],
  },
  {
    name: 'a token file that is not there',
    text: `${ONE}http: {token-file: /t}\n`,
    says: ["http.token-file in /etc/tandem.yml, line 2, is '/t', which does not exist"],
  },
  {
    name: 'an empty token file',
    text: `${ONE}http: {token-file: /t}\n`,
    machine: { files: { '/t': '\n' } },
    says: ['The token in /t is empty'],
  },
  {
    name: 'nobody let in',
    text: `${ONE}http: {open-on-loopback: false}\n`,
    says: ['nobody would be let in'],
  },
  {
    name: 'half of TLS',
    text: `${ONE}http: {token: ${TOKEN}, tls: {cert: /c}}\n`,
    machine: { files: { '/c': '-' } },
    says: ['http.tls.cert in', 'is given without http.tls.key'],
  },
  {
    name: 'client certificates without an authority',
    text: `${ONE}http: {tls: {cert: /c, key: /k, require-client-certificate: true}}\n`,
    machine: { files: { '/c': '-', '/k': '-' } },
    says: ['http.tls.require-client-certificate is true, but http.tls.ca is not given'],
  },
  {
    name: 'a port out of range',
    text: `${ONE}http: {listen: "127.0.0.1:70000"}\n`,
    says: ['http.listen in', 'has a port above 65535'],
  },
  {
    name: 'a time without a unit',
    text: `${ONE}acknowledge: {timeout: 10}\n`,
    says: ["acknowledge.timeout in /etc/tandem.yml, line 2, is '10', which has no unit"],
  },
  {
    name: 'a time out of range',
    text: `${ONE}acknowledge: {timeout: 48h}\n`,
    says: ['is not between 1ms and 1h'],
  },
  {
    name: 'an advertise URL that nobody can reach',
    text: `${GUARDED}node: {advertise-url: "http://0.0.0.0:20202"}\n`,
    says: ['node.advertise-url in', 'stands for all addresses'],
  },
  {
    name: 'a proxy without a target',
    text: `${ONE}proxy: {listen: ":8080"}\n`,
    says: ['proxy.listen in /etc/tandem.yml, line 2, is given without proxy.target'],
  },
  {
    name: 'a proxy without an address',
    text: `${ONE}proxy: {target: ":3000"}\n`,
    says: ['proxy.target in', 'is given without proxy.listen'],
  },
  {
    name: 'a proxy that is its own target',
    text: `${ONE}proxy: {listen: ":8080", target: "localhost:8080"}\n`,
    says: ['proxy.target in', 'which is the proxy itself'],
  },
  {
    name: 'a proxy on the port of the HTTP interface',
    text: `${ONE}proxy: {listen: ":20202", target: ":3000"}\n`,
    says: ['proxy.listen in', 'has port 20202, on which the HTTP interface listens'],
  },
  {
    name: 'a path rule that matches nothing',
    text: `${ONE}proxy: {listen: ":80", target: ":3000", passthrough: [assets/*]}\n`,
    says: ["has 'assets/*', which matches no path"],
  },
  {
    name: 'a folder that belongs to root',
    text: ONE,
    machine: {
      folders: {
        '/data': {
          fault: {
            kind: 'denied',
            place: '/data',
            owner: 'uid 0, gid 0 with mode 0755',
            systemCode: 'EACCES',
          },
        },
      },
    },
    says: [
      'databases.folder in /etc/tandem.yml, line 1, is /data, which cannot be written by uid 65532, gid 65532',
      'it belongs to uid 0, gid 0 with mode 0755',
      'chown 65532:65532 /data',
      'fsGroup: 65532',
    ],
  },
  {
    name: 'a folder on a read-only file system',
    text: ONE,
    machine: {
      folders: {
        '/data': {
          exists: false,
          fault: { kind: 'read-only', place: '/', owner: '', systemCode: 'EROFS' },
        },
      },
    },
    says: ['cannot be made: it lies on a read-only file system', 'Mount a writable volume'],
  },
  {
    name: 'a folder that is a file',
    text: ONE,
    machine: {
      folders: {
        '/data': {
          fault: { kind: 'not-a-folder', place: '/data', owner: '', systemCode: 'ENOTDIR' },
        },
      },
    },
    says: ['is /data, which is a file'],
  },
  {
    name: 'one folder for both',
    text: `${ONE}state: {folder: /data/}\n`,
    says: ['state.folder in', 'is /data, the same as databases.folder'],
  },
  {
    name: 'state among the databases',
    text: `${ONE}state: {folder: /data/state}\n`,
    says: ['state.folder in', 'would count as databases', '/data/.tandem'],
  },
  {
    name: 'databases within the state',
    text: `${ONE}state: {folder: /}\n`,
    says: ['state.folder in', 'in which databases.folder lies'],
  },
  {
    name: 'a backup among the databases',
    text: `${ONE}backup: {url: /data/backup}\n`,
    says: ['backup.url in', 'lies in databases.folder'],
  },
  {
    name: 'a backup without credentials',
    text: `${ONE}backup: {url: "s3://bucket"}\n`,
    says: ['variable AWS_ACCESS_KEY_ID is not set', 'backup.access-key-id-variable'],
  },
  {
    name: 'a backup address with a password in it, without showing it',
    text: `${ONE}backup: {url: "s3://me:secret@bucket"}\n`,
    says: [
      "backup.url in /etc/tandem.yml, line 2, is 's3://***@bucket'",
      'user name or a password',
    ],
  },
  {
    name: 'a migration whose program is not there',
    text: `${ONE}commands:\n  - cmd: node a.js\n  - cmd: ./migrate.sh --all\n`,
    env: { PATH: '/bin' },
    says: ["commands in /etc/tandem.yml, line 4, starts './migrate.sh', which is in none of"],
  },
  {
    name: 'an application whose program is not there',
    text: `${ONE}exec: nod server.js\n`,
    says: ["exec in /etc/tandem.yml, line 2, starts 'nod'"],
  },
  {
    name: 'an application for the primary only',
    text: `${ONE}exec:\n  - cmd: node a.js\n    if-primary: true\n`,
    says: ["exec says if-primary for 'node a.js'", 'commands'],
  },
  {
    name: 'a command with an unknown key',
    text: `${ONE}commands:\n  - cmd: node a.js\n    if-primry: true\n`,
    says: [
      'commands in /etc/tandem.yml, line 2,',
      "unknown key 'if-primry' (did you mean 'if-primary'?)",
    ],
  },
  {
    name: 'an open quote in a command',
    text: `${ONE}exec: node 'a.js\n`,
    says: ["has a ' that is never closed"],
  },
  {
    name: 'writes that wait for nobody',
    text: `${ONE}acknowledge: {mode: one, on-timeout: block}\n`,
    says: ['acknowledge.mode in', 'no other node is configured'],
  },
  {
    name: 'a majority of an unknown number',
    text: `${GUARDED}acknowledge: {mode: majority}\nlease: {type: consul, consul: {url: "http://c:1", key: k}}\n`,
    says: ['cluster.nodes does not say of how many'],
  },
  {
    name: 'a wrong number of nodes',
    text: `${GUARDED}cluster: {nodes: 3}\nlease: {static: {primary: alpha, peers: {alpha: "http://a:1"}}}\n`,
    says: ['cluster.nodes in', 'is 3, but lease.static.peers names 1'],
  },
  {
    name: 'checkpoints whose limits are the wrong way round',
    text: `${ONE}checkpoint: {pages: 1000, pages-max: 10}\n`,
    says: ['checkpoint.pages-max in', 'less than checkpoint.pages'],
  },
  {
    name: 'a value where a section should be',
    text: `${ONE}acknowledge: one\n`,
    says: [
      "acknowledge in /etc/tandem.yml, line 2, is 'one', where a section should be",
      'mode, timeout',
    ],
  },
  {
    name: 'a section where a value should be',
    text: `${ONE}sync: {mode: full}\n`,
    says: ["sync in /etc/tandem.yml, line 2, is 'mode: full', which is a section"],
  },
  {
    name: 'a path with a tilde',
    text: 'databases: {folder: ~/data}\n',
    says: ["begins with '~', which only a shell understands"],
  },
  {
    name: 'a key that stands there twice',
    text: `${ONE}sync: full\nsync: none\n`,
    says: ['/etc/tandem.yml, line 3: the same key stands there twice', 'Keep one of the two'],
  },
  {
    name: 'a tab',
    text: 'databases:\n\tfolder: /data\n',
    says: ['/etc/tandem.yml, line 2: a tab stands where YAML wants spaces'],
  },
  {
    name: 'a variable in a list of one line without quotes',
    text: `${ONE}proxy: {passthrough: [/a, \${B}]}\n`,
    says: ['/etc/tandem.yml, line 2: this is not valid YAML', '"${NAME}" needs quotes'],
  },
  { name: 'a list', text: '- a\n', says: ['/etc/tandem.yml holds a list where keys should be'] },
];

const WARNINGS: readonly Case[] = [
  {
    name: 'HOSTNAME overridden by the image, where the file uses it',
    text: `${GUARDED}node:\n  name: \${HOSTNAME}\n`,
    env: { HOSTNAME: '0.0.0.0' },
    says: ["HOSTNAME is '0.0.0.0', which names no machine", 'the name of the host, alpha'],
  },
  {
    name: 'HOSTNAME overridden by the image, where it does not',
    text: GUARDED,
    env: { HOSTNAME: 'localhost' },
    says: ["HOSTNAME is 'localhost'", 'is ignored: this node is called alpha'],
  },
  {
    name: 'a POD_NAME that names no pod',
    text: GUARDED,
    env: { POD_NAME: '0.0.0.0' },
    says: ["POD_NAME is '0.0.0.0'", 'metadata.name'],
  },
  {
    name: 'an address that others may not be able to look up',
    text: `${GUARDED}lease: {type: consul, consul: {url: "http://c:8500", key: k}}\n`,
    says: ['the other nodes are told http://alpha:20202', 'POD_IP'],
  },
  {
    name: 'an address that others cannot reach',
    text: `${GUARDED}node: {advertise-url: "http://localhost:20202"}
lease: {type: consul, consul: {url: "http://c:8500", key: k}}\n`,
    says: ['node.advertise-url in', 'which only programs of this machine reach'],
  },
  {
    name: 'an address without a port',
    text: `${GUARDED}node: {advertise-url: "http://10.0.0.7"}\n`,
    says: ['names no port, while this node listens on 20202', 'http://10.0.0.7:20202'],
  },
  {
    name: 'a variable that is no key',
    text: ONE,
    env: { TANDEM_LOG_LEVL: 'debug' },
    says: ['TANDEM_LOG_LEVL is set in the environment', 'Did you mean TANDEM_LOG_LEVEL?'],
  },
  {
    name: 'a variable that lacks its section',
    text: ONE,
    env: { TANDEM_TOKEN: 'x' },
    says: ['TANDEM_TOKEN is set', 'Did you mean TANDEM_LEASE_CONSUL_TOKEN or TANDEM_HTTP_TOKEN?'],
  },
  {
    name: 'keys of a lease that is not used',
    text: `${ONE}lease:\n  consul: {url: "http://c:8500"}\n`,
    says: ['lease.consul.url has no effect with lease.type: static', 'lease.type: consul'],
  },
  {
    name: 'keys of a proxy that does not run',
    text: `${ONE}proxy: {passthrough: [/a]}\n`,
    says: ['proxy.passthrough in', 'there is no proxy'],
  },
  {
    name: 'keys of a backup that is not made',
    text: `${ONE}backup: {interval: 5s}\n`,
    says: ['backup.interval in', 'there is no backup'],
  },
  {
    name: 'a mount of LiteFS that is still there',
    text: ONE,
    machine: { folders: { '/data': { fileSystem: 'fuse' } } },
    says: ['is a FUSE mount; it may be LiteFS'],
  },
  {
    name: 'a network file system',
    text: ONE,
    machine: { folders: { '/data': { fileSystem: 'network' } } },
    says: ['lies on a network file system, where SQLite databases break'],
  },
  {
    name: 'an operator of a shell',
    text: `${ONE}exec: node a.js && node b.js\n`,
    says: ["exec in /etc/tandem.yml, line 2, has '&&', which only a shell understands", 'sh -c'],
  },
  {
    name: 'acknowledgements without anybody to give them',
    text: `${ONE}acknowledge: {mode: one}\n`,
    says: ['acknowledge.mode in', 'no other node is configured'],
  },
];

const INFOS: readonly Case[] = [
  {
    name: 'variables of a Service called tandem',
    text: ONE,
    env: {
      TANDEM_PORT: 'tcp://10.0.0.1:20202',
      TANDEM_SERVICE_HOST: '10.0.0.1',
      TANDEM_PORT_20202_TCP_ADDR: '10.0.0.1',
    },
    says: ['TANDEM_PORT=tcp://10.0.0.1:20202 and 2 more like it are ignored', 'enableServiceLinks'],
  },
  {
    name: 'the address that others are told',
    text: `${GUARDED}lease: {type: consul, consul: {url: "http://c:8500", key: k}}\n`,
    env: { POD_IP: '10.0.0.7' },
    says: ['The other nodes are told http://10.0.0.7:20202, from POD_IP'],
  },
  {
    name: 'the Lease object that is made up',
    text: `${GUARDED}lease: {type: kubernetes}\n`,
    env: { POD_NAME: 'shop-0', KUBERNETES_SERVICE_HOST: '10.96.0.1' },
    says: ['compete for the Lease object shop-tandem'],
  },
  {
    name: 'a folder that will be made',
    text: ONE,
    machine: { folders: { '/data': { exists: false } } },
    says: ['does not exist yet and will be made'],
  },
  {
    name: 'a candidate flag that decides nothing',
    text: `${GUARDED}lease: {candidate: true, static: {primary: alpha}}\n`,
    says: ['lease.candidate in', 'has no effect', 'lease.static.primary decides'],
  },
];

describe('an error is', () => {
  it.each(ERRORS)('$name', (trap) => {
    expect(outcome('error', trap)).toEqual({ says: trap.says, isUsable: false });
  });
});

describe('a warning is', () => {
  it.each(WARNINGS)('$name', (trap) => {
    expect(outcome('warning', trap)).toEqual({ says: trap.says, isUsable: true });
  });
});

describe('worth telling is', () => {
  it.each(INFOS)('$name', (trap) => {
    expect(outcome('info', trap)).toEqual({ says: trap.says, isUsable: true });
  });
});

it('says nothing of variables that the daemon gives its programs, or that the file uses', () => {
  const env = { TANDEM_URL: 'http://x', TANDEM_DATABASES: '/data', TANDEM_SECRET: TOKEN };
  const report = reportOn(`${ONE}http: {token: "\${TANDEM_SECRET}"}\n`, { env });
  expect(report.notes).toEqual([]);
});

it('tells all errors at once', () => {
  const report = reportOn('sync: x\nlog: {level: y}\nzzzzzz: 1\n');
  expect(linesOf(report, 'error')).toHaveLength(4);
});

it('shows no secret anywhere', () => {
  const secret = 'correcthorsebatterystaple';
  const report = reportOn(`
databases: {folder: /data}
http: {token: ${secret}}
lease: {type: consul, consul: {url: "http://:${secret}@c:8500", key: k, token: ${secret}}}
`);
  expect(report.config).not.toBeNull();
  const shown = JSON.stringify([[...report.values], report.notes]);
  expect(shown).not.toContain(secret);
});
