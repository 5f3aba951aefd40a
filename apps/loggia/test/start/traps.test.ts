import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { TestServer } from '../test-server.ts';
import { success, trial } from './proof.ts';
import { WorkFolder } from './surroundings.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/loggia.js', import.meta.url));

/** What Kubernetes sets in every pod beside a Service called `loggia`. */
const SERVICE_LINKS = {
  LOGGIA_PORT: 'tcp://10.0.0.1:80',
  LOGGIA_PORT_80_TCP: 'tcp://10.0.0.1:80',
  LOGGIA_PORT_80_TCP_ADDR: '10.0.0.1',
  LOGGIA_PORT_80_TCP_PORT: '80',
  LOGGIA_PORT_80_TCP_PROTO: 'tcp',
  LOGGIA_SERVICE_HOST: '10.0.0.1',
  LOGGIA_SERVICE_PORT: '80',
  LOGGIA_SERVICE_PORT_HTTP: '80',
};

async function doctor(env: Readonly<Record<string, string>>, dataDir: string): Promise<unknown> {
  const child = spawn(process.execPath, [LAUNCHER, 'doctor', '--json', '--data-dir', dataDir], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return await json(child.stdout);
}

describe('an environment that is odd but harmless', () => {
  it('service links, a host name of 0.0.0.0, empty variables and a name that nobody resolves', async () => {
    using folder = new WorkFolder();
    const env = {
      ...SERVICE_LINKS,
      HOSTNAME: '0.0.0.0',
      LOGGIA_DUCKDB_MEMORY: '',
      LOGGIA_CONFIG: '',
      LOGGIA_BASE_URL: 'https://stats.no-such-name.invalid',
      TZ: 'Nowhere/Never',
      LANG: 'xx_XX.UTF-8',
      LC_ALL: 'no-such-locale',
      NO_PROXY: '*',
      HTTP_PROXY: 'http://127.0.0.1:1',
    };
    await using server = await TestServer.start({ dataDir: join(folder.path, 'data'), env });
    expect(server.output()).toContain('LOGGIA_PORT');
    expect(server.output()).toContain('"base_url":"https://stats.no-such-name.invalid"');
    expect(await doctor(env, server.dataDir)).toMatchObject({
      ignored_variables: expect.arrayContaining(Object.keys(SERVICE_LINKS)),
      configuration: { base_url: { value: 'https://stats.no-such-name.invalid' } },
    });
    expect(await trial(server)).toEqual(success(1));
  });

  it('a current folder that was removed under the shell', async () => {
    using folder = new WorkFolder();
    const script = 'gone=$(mktemp -d) && cd "$gone" && rmdir "$gone" && exec "$@"';
    await using server = await TestServer.start({
      dataDir: join(folder.path, 'data'),
      under: ['sh', '-c', script, 'sh'],
    });
    expect(await trial(server)).toEqual(success(1));
  });

  it('a umask that gives nothing to others, and one that gives everything', async () => {
    for (const umask of ['0077', '0000']) {
      using folder = new WorkFolder();
      const dataDir = join(folder.path, 'data');
      mkdirSync(dataDir);
      await using server = await TestServer.start({
        dataDir,
        under: ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh'],
      });
      expect(await trial(server)).toEqual(success(1));
    }
  });
});

describe('an environment that cannot be meant', () => {
  it.each([
    [
      { LOGGIA_LISTNE: ':9000' },
      "loggia: LOGGIA_LISTNE is set to ':9000' in the environment, but no setting has that name.\n" +
        'Did you mean LOGGIA_LISTEN? If not, remove it.\n',
    ],
    [
      { LOGGIA_PORT: '9000' },
      "loggia: LOGGIA_PORT is set to '9000' in the environment, but no setting has that name.\n" +
        'Did you mean LOGGIA_LISTEN? If not, remove it.\n',
    ],
    [
      { LOGGIA_CONFIG: '/no/such/file.yml' },
      'loggia: /no/such/file.yml, which LOGGIA_CONFIG names, does not exist.\n' +
        'Correct the path, or make the file readable for the user that runs Loggia.\n',
    ],
  ])('%o is refused', async (env, output) => {
    using folder = new WorkFolder();
    const refusal = await TestServer.refusal({ dataDir: join(folder.path, 'data'), env });
    expect(refusal).toEqual({ code: 2, output });
  });

  it('an unknown key of the file is refused with the nearest known one', async () => {
    using folder = new WorkFolder();
    const path = join(folder.path, 'loggia.yml');
    writeFileSync(path, 'lisen: 127.0.0.1:8080\n');
    const refusal = await TestServer.refusal({
      dataDir: join(folder.path, 'data'),
      flags: ['--config', path],
    });
    expect(refusal).toEqual({
      code: 2,
      output:
        `loggia: lisen stands in ${path}, but no setting has that name.\n` +
        'Did you mean listen? If not, remove it.\n',
    });
  });

  it('an address that another program has is refused by name', async () => {
    using folder = new WorkFolder();
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const { code, output } = await TestServer.refusal({
      dataDir: join(folder.path, 'data'),
      env: { LOGGIA_LISTEN: `127.0.0.1:${port}` },
    });
    other.close();
    expect(code).toBe(1);
    expect(output).toContain(
      `loggia: Cannot listen on 127.0.0.1:${port}: Another program listens on that address and ` +
        'port.\nStop it, or choose another port: LOGGIA_LISTEN=127.0.0.1:8081.\n',
    );
  });

  it('an address of another machine is refused by name', async () => {
    using folder = new WorkFolder();
    const { code, output } = await TestServer.refusal({
      dataDir: join(folder.path, 'data'),
      env: { LOGGIA_LISTEN: '192.0.2.1:8080' },
    });
    expect(code).toBe(1);
    expect(output).toContain('Cannot listen on 192.0.2.1:8080: This machine has no such address.');
  });
});
