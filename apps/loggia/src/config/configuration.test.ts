import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.ts';
import {
  inspectConfiguration,
  resolveConfiguration,
  type ConfigurationSources,
} from './configuration.ts';
import { isServiceLink } from './service-link.ts';
import { SETTINGS, SETTING_ENTRIES, flagOf, variableOf } from './settings.ts';

const nothing: ConfigurationSources = {
  flags: {},
  env: {},
  fileText: null,
  filePath: null,
  cwd: '/srv/app',
};
const inFile = (fileText: string) => ({ ...nothing, fileText, filePath: '/etc/loggia/loggia.yml' });

function problemOf(sources: ConfigurationSources): ConfigError {
  try {
    resolveConfiguration(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('a configuration', () => {
  it('is complete without anything being set', () => {
    const { values, origins, notices } = resolveConfiguration(nothing);
    expect(values).toMatchObject({
      listen: { kind: 'tcp', host: '127.0.0.1', port: 8080 },
      baseUrl: 'http://127.0.0.1:8080',
      dataDir: '/srv/app/data',
      rateLimits: true,
      queryTimeoutMs: 30_000,
      duckdbMemoryBytes: null,
    });
    expect(origins.listen).toEqual({ kind: 'default', name: '', text: '127.0.0.1:8080' });
    expect(notices).toEqual([]);
  });

  it('takes flags over environment over file over defaults, and says from where', () => {
    const sources = inFile('listen: 127.0.0.1:1\nlog_level: warn\ndata_dir: from-file\n');
    const env = { LOGGIA_LISTEN: '127.0.0.1:2', LOGGIA_DATA_DIR: 'from-env' };
    const { values, origins } = resolveConfiguration({
      ...sources,
      env,
      flags: { listen: '127.0.0.1:3' },
    });
    expect(values.listen).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 3 });
    expect(origins.listen).toMatchObject({ kind: 'flag', name: '--listen' });
    expect(values.dataDir).toBe('/srv/app/from-env');
    expect(origins.dataDir).toMatchObject({ kind: 'environment', name: 'LOGGIA_DATA_DIR' });
    expect(values.logLevel).toBe('warn');
    expect(origins.logLevel).toMatchObject({ kind: 'file', name: '/etc/loggia/loggia.yml' });
    expect(origins.rateLimits.kind).toBe('default');
  });

  it('takes a relative path in the file from the folder of the file', () => {
    expect(resolveConfiguration(inFile('data_dir: ./here')).values.dataDir).toBe(
      '/etc/loggia/here',
    );
  });

  it('takes an empty variable and an empty line of the file as not set', () => {
    const { values } = resolveConfiguration({
      ...inFile('log_level:\nlisten: ""\n'),
      env: { LOGGIA_BASE_URL: '', LOGGIA_DATA_DIR: '  ' },
    });
    expect(values.logLevel).toBe('info');
    expect(values.listen).toMatchObject({ port: 8080 });
    expect(values.dataDir).toBe('/srv/app/data');
  });

  it('never reads HOSTNAME, HOST, PORT or the variables of others', () => {
    const env = { HOSTNAME: '0.0.0.0', HOST: '::', PORT: '99', TANDEM_LISTEN: 'x', loggia_x: 'y' };
    expect(resolveConfiguration({ ...nothing, env })).toEqual(resolveConfiguration(nothing));
  });

  it('does not mind that the host of base_url does not exist', () => {
    const env = { LOGGIA_BASE_URL: 'https://nobody.invalid/stats/' };
    expect(resolveConfiguration({ ...nothing, env }).values.baseUrl).toBe(
      'https://nobody.invalid/stats',
    );
  });

  it('makes base_url from listen when it is not set', () => {
    const flags = { listen: ':9000' };
    expect(resolveConfiguration({ ...nothing, flags }).values.baseUrl).toBe(
      'http://localhost:9000',
    );
  });
});

describe('a value that a setting cannot have', () => {
  it('is named with its origin and with what to write there', () => {
    const variable = problemOf({ ...nothing, env: { LOGGIA_LISTEN: 'tcp://10.0.0.1:80' } });
    expect(variable.code).toBe('bad_setting');
    expect(variable.message).toBe("LOGGIA_LISTEN is 'tcp://10.0.0.1:80', which has a scheme.");
    expect(variable.hint).toContain('for example LOGGIA_LISTEN=:8080.');
    const file = problemOf(inFile('log_level: loud'));
    expect(file.message).toContain("log_level in /etc/loggia/loggia.yml is 'loud'");
    expect(file.hint).toContain("for example 'log_level: debug'.");
    const flag = problemOf({ ...nothing, flags: { query_timeout: '30' } });
    expect(flag.message).toBe(
      "--query-timeout is '30', which is not a time with a unit (ms, s, m, h).",
    );
    expect(flag.hint).toContain('for example --query-timeout 10s.');
  });

  it('is an empty flag', () => {
    expect(problemOf({ ...nothing, flags: { data_dir: '' } }).message).toBe(
      "--data-dir is '', which is empty.",
    );
  });

  it('is reported with all others at once, and has its default meanwhile', () => {
    const report = inspectConfiguration({
      ...inFile('lisen: x\n'),
      env: { LOGGIA_LOG_LEVEL: 'loud', LOGGIA_LISTN: 'x' },
    });
    expect(report.problems.map((problem) => problem.code)).toEqual([
      'unknown_setting',
      'unknown_setting',
      'bad_setting',
    ]);
    expect(report.configuration.values.logLevel).toBe('info');
    const together = problemOf({ ...nothing, env: { LOGGIA_A: '1', LOGGIA_LOG_LEVEL: 'loud' } });
    expect(together.message.split('\n')).toHaveLength(2);
  });
});

describe('a name that no setting has', () => {
  it('is refused in the environment, with the nearest that exists', () => {
    const problem = problemOf({ ...nothing, env: { LOGGIA_LISTN: ':80' } });
    expect(problem.code).toBe('unknown_setting');
    expect(problem.hint).toBe('Did you mean LOGGIA_LISTEN? If not, remove it.');
    const port = problemOf({ ...nothing, env: { LOGGIA_PORT: '8080' } });
    expect(port.hint).toContain('LOGGIA_LISTEN');
  });

  it('is refused in the file, with the nearest that exists', () => {
    expect(problemOf(inFile('baseurl: https://a.example')).hint).toContain('base_url');
    expect(problemOf(inFile('port: 8080')).hint).toContain('listen');
    expect(problemOf(inFile('zebra: 1')).hint).toContain('Remove it');
  });
});

describe('variables that Kubernetes makes for Services', () => {
  it.each(['loggia', 'loggia-web', 'loggia-headless', 'loggia-listen', 'redis'])(
    'of the name %s are ignored and reported',
    (service) => {
      const prefix = service.toUpperCase().replaceAll('-', '_');
      const env = {
        [`${prefix}_SERVICE_HOST`]: '10.43.0.7',
        [`${prefix}_SERVICE_PORT`]: '80',
        [`${prefix}_SERVICE_PORT_HTTP`]: '80',
        [`${prefix}_PORT`]: 'tcp://10.43.0.7:80',
        [`${prefix}_PORT_80_TCP`]: 'tcp://10.43.0.7:80',
        [`${prefix}_PORT_80_TCP_PROTO`]: 'tcp',
        [`${prefix}_PORT_80_TCP_PORT`]: '80',
        [`${prefix}_PORT_80_TCP_ADDR`]: '10.43.0.7',
      };
      const { values, notices } = resolveConfiguration({ ...nothing, env });
      expect(values).toEqual(resolveConfiguration(nothing).values);
      expect(notices.map((notice) => notice.name)).toEqual(
        service === 'redis' ? [] : Object.keys(env),
      );
    },
  );

  it('never have the name of a setting', () => {
    for (const [, { name }] of SETTING_ENTRIES) {
      expect(isServiceLink(variableOf(name), 'tcp://10.43.0.7:80')).toBe(false);
    }
  });
});

describe('the file', () => {
  it('may give lists where a setting takes one', () => {
    const { values } = resolveConfiguration(
      inFile('trusted_proxies:\n  - loopback\n  - 10.0.0.0/8\n'),
    );
    expect(values.trustedProxies).toEqual(['127.0.0.0/8', '::1/128', '10.0.0.0/8']);
    expect(resolveConfiguration(inFile('trusted_proxies: []')).values.trustedProxies).toEqual([]);
    expect(problemOf(inFile('listen: [a, b]')).message).toContain('which is a list');
  });

  it('may be empty or hold comments only', () => {
    for (const text of ['', '# nothing\n', '---\n', '\uFEFF', '{}']) {
      expect(resolveConfiguration(inFile(text)).values.logLevel).toBe('info');
    }
  });

  it('may have switches and numbers as YAML has them', () => {
    const { values } = resolveConfiguration(
      inFile('rate_limits: false\nqueue_events_max: 500\nlisten: 9000\nduckdb_memory: 1GiB\n'),
    );
    expect(values).toMatchObject({ rateLimits: false, queueEventsMax: 500 });
    expect(values.listen).toMatchObject({ port: 9000 });
    expect(values.duckdbMemoryBytes).toBe(2 ** 30);
  });

  it.each([
    ['listen: a\nlisten: b\n', 'line 2: the same setting stands there twice'],
    ['trusted_proxies:\n\t- a\n', 'line 2: a tab stands where YAML wants spaces'],
    ['listen: a\n---\nlisten: b\n', 'a second YAML document begins'],
    ['- listen\n', 'holds a list where settings should be'],
    ['just words\n', 'holds a single value where settings should be'],
    ['listen: [a\n', 'this is not valid YAML'],
  ])('%j is refused', (text, message) => {
    const problem = problemOf(inFile(text));
    expect(problem.code).toBe('config_file');
    expect(problem.message).toContain('/etc/loggia/loggia.yml');
    expect(problem.message).toContain(message);
    expect(problem.hint).toBeDefined();
  });

  it('may not nest values', () => {
    expect(problemOf(inFile('listen:\n  port: 80\n')).message).toContain('has a nested value');
    expect(problemOf(inFile('trusted_proxies: [{a: b}]')).message).toContain('has a nested value');
  });
});

describe('the table of settings', () => {
  const document = readFileSync(
    new URL('../../../../docs/reference/configuration.md', import.meta.url),
    'utf8',
  );

  it('is the one in docs/reference/configuration.md', () => {
    const documented = document.split('\n').filter((line) => line.includes('| `LOGGIA_'));
    const expected = SETTING_ENTRIES.map(
      ([, setting]) =>
        `| \`${setting.name}\` | \`${variableOf(setting.name)}\` | \`--${flagOf(setting.name)}\` ` +
        `| \`${setting.defaultText}\` | ${setting.summary} Write ${setting.expects}. |`,
    );
    expect(documented).toEqual(expected);
  });

  it('has examples and defaults that are valid', () => {
    for (const setting of Object.values(SETTINGS)) {
      expect(setting.parse(setting.example, { folder: '/' })).toHaveProperty('value');
      expect(setting.parse(setting.defaultText, { folder: '/' })).toHaveProperty('value');
    }
  });

  it('reads the example of the documentation', () => {
    const [, example = ''] = /```yaml\n([^`]*)```/.exec(document) ?? [];
    const { values } = resolveConfiguration(inFile(example));
    expect(values.baseUrl).toBe('https://stats.example.org');
    expect(values.listen).toEqual({ kind: 'tcp', host: '::', port: 8080 });
    expect(values.trustedProxies).toContain('203.0.113.0/24');
  });
});
