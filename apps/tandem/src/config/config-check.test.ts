import { describe, expect, it } from 'vitest';
import { formatConfigCheck } from './config-check.ts';
import { reportOn } from './imagined-machine.ts';
import { SETTING_KEYS } from './settings.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';
const GOOD = reportOn('databases:\n  folder: /data\nsync: ${MODE:-none}\n', {
  env: { TANDEM_HTTP_TOKEN: TOKEN, TANDEM_PORT: 'tcp://10.0.0.1:80' },
  flags: ['log.level=debug'],
});
const BAD = reportOn('databases:\n  folder: /data\nsyn: full\n');

describe('tandem config check', () => {
  it('prints every key with its value and where that came from', () => {
    const { output, exitCode } = formatConfigCheck(GOOD, false);
    const row = (key: string) =>
      output
        .split('\n')
        .find((line) => line.startsWith(`${key} `))
        ?.split(/\s{2,}/);
    expect(exitCode).toBe(0);
    expect(row('databases.folder')).toEqual(['databases.folder', '/data', '/etc/tandem.yml:2']);
    expect(row('sync')).toEqual(['sync', 'none', '/etc/tandem.yml:3']);
    expect(row('http.token')).toEqual(['http.token', '(set)', 'env TANDEM_HTTP_TOKEN']);
    expect(row('log.level')).toEqual(['log.level', 'debug', '--set log.level']);
    expect(row('state.folder')).toEqual(['state.folder', '/data/.tandem', 'from databases.folder']);
    expect(row('backup.url')).toEqual(['backup.url', '-', 'default']);
    expect(row('http.listen')).toEqual(['http.listen', ':20202', 'default']);
    expect(output).toContain('info: TANDEM_PORT=tcp://10.0.0.1:80 is ignored');
    expect(output.split('\n')[0]).toBe('/etc/tandem.yml (as tandem.yml)');
    expect(output.endsWith('The configuration can be used.')).toBe(true);
  });

  it('ends with 1 and the errors when the daemon would not start', () => {
    const { output, exitCode } = formatConfigCheck(BAD, false);
    expect(exitCode).toBe(1);
    expect(output).toContain(
      'error: syn in /etc/tandem.yml, line 3, is no key of tandem.yml. Did you mean sync?',
    );
    expect(output.endsWith('The configuration cannot be used: 1 error.')).toBe(true);
  });

  it('prints one JSON object', () => {
    const good: unknown = JSON.parse(formatConfigCheck(GOOD, true).output);
    expect(good).toMatchObject({
      ok: true,
      file: '/etc/tandem.yml',
      format: 'tandem',
      values: { 'databases.folder': { value: '/data', origin: '/etc/tandem.yml:2' } },
      notes: [{ level: 'info', key: 'TANDEM_PORT', line: null }],
    });
    expect(Object.keys((good as { values: object }).values)).toEqual([...SETTING_KEYS]);
    const bad = formatConfigCheck(BAD, true);
    expect(bad.exitCode).toBe(1);
    expect(JSON.parse(bad.output)).toMatchObject({
      ok: false,
      notes: [{ level: 'error', code: 'config_unknown_key', key: 'syn', line: 3 }],
    });
  });
});
