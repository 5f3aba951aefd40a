import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { HttpConnection } from '../src/http-connection.ts';
import { KubernetesClient } from '../src/kubernetes-client.ts';

const FOLDER = join(import.meta.dirname, 'testdata', 'tls');
const REQUEST = { method: 'GET', path: '/', timeoutMs: 10_000 } as const;

let server: Server;
let folder: string;
let url: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tls-'));
  const [key, cert] = await Promise.all(
    ['server.key', 'server.crt'].map((name) => readFile(join(FOLDER, name), 'utf8')),
  );
  server = createServer({ key: key ?? '', cert: cert ?? '' }, (request, response) => {
    response.end(JSON.stringify({ authorization: request.headers.authorization }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  };
});

describe('over TLS', () => {
  it('a certificate that nothing vouches for is refused, with the way out', async () => {
    const connection = new HttpConnection(new URL(url));
    await expect(connection.exchange(REQUEST)).rejects.toMatchObject({
      code: 'lease_unreachable',
      hint: expect.stringContaining('CA'),
    });
    connection.close();
  });

  it('the CA is read again, so that a replaced one is used without a restart', async () => {
    const caFile = join(folder, 'ca.crt');
    const client = new KubernetesClient({ apiServerUrl: url, caFile });
    await copyFile(join(FOLDER, 'other.crt'), caFile);
    await expect(client.exchange(REQUEST)).rejects.toMatchObject({ code: 'lease_unreachable' });
    await copyFile(join(FOLDER, 'server.crt'), caFile);
    expect((await client.exchange(REQUEST)).status).toBe(200);
    client.close();
  });

  it('a connection that the server closed while idle is replaced', async () => {
    const ca = await readFile(join(FOLDER, 'server.crt'), 'utf8');
    const connection = new HttpConnection(new URL(url), { ca });
    expect((await connection.exchange(REQUEST)).status).toBe(200);
    server.closeAllConnections();
    expect((await connection.exchange(REQUEST)).status).toBe(200);
    connection.close();
  });

  it('a server that is not there is unreachable, not silent', async () => {
    const connection = new HttpConnection(new URL('http://127.0.0.1:1'));
    await expect(connection.exchange(REQUEST)).rejects.toMatchObject({
      code: 'lease_unreachable',
      retryable: true,
    });
    connection.close();
  });
});
