import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * A server and its client on a thread of their own, so that things happen at both ends of a proxy
 * while the proxy's thread stands still. The server answers a connection's requests until it is told
 * to close it.
 */
const { steps } = workerData as { readonly steps: SharedArrayBuffer };
const step = new Int32Array(steps);
const received: string[] = [];
const connections: Socket[] = [];

const server = createServer((socket) => {
  connections.push(socket);
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    received.push(/^POST (\S+)/.exec(String(bytes))?.[1] ?? '?');
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
  });
});

function request(path: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx`;
}

/** The next answer, with all of its body. */
function answerOn(client: Socket): Promise<string> {
  let text = '';
  const { promise, resolve } = Promise.withResolvers<string>();
  const add = (bytes: Buffer): void => {
    text += String(bytes);
    const [head = '', body] = text.split('\r\n\r\n');
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
    if (body === undefined || body.length < length) return;
    client.off('data', add);
    resolve(text);
  };
  client.on('data', add);
  return promise;
}

parentPort?.once('message', (port: number) => void play(port));

async function play(port: number): Promise<void> {
  const client = connect(port, '127.0.0.1');
  const first = answerOn(client);
  client.write(request('/first'));
  await first;
  parentPort?.postMessage('idle');
  Atomics.wait(step, 0, 0);
  // The proxy's thread stands still: first comes a request, then its server closes the connection.
  const answer = answerOn(client);
  await new Promise<void>((resolve) => void client.write(request('/second'), () => resolve()));
  const [idle] = connections;
  await new Promise<void>((resolve) => void idle?.once('close', () => resolve()).destroy());
  Atomics.store(step, 0, 2);
  Atomics.notify(step, 0);
  parentPort?.postMessage({ answer: await answer, received });
  client.destroy();
  for (const connection of connections) connection.destroy();
  server.close();
}

server.listen(0, '127.0.0.1', () => {
  parentPort?.postMessage((server.address() as AddressInfo).port);
});
