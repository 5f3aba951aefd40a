import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { answerHeaders } from './answer-headers.ts';
import type { Exchange, Upgrade } from './exchange.ts';
import { fieldsOf, fieldValues } from './raw-headers.ts';

const KEEP_ALIVE_MS = 30_000;

/** The server's side of a tunnel to be. */
export interface TunnelEnd {
  readonly answer: IncomingMessage;
  readonly socket: Socket;
  /** What the server has sent behind its head. */
  readonly head: Buffer;
}

/**
 * Tells the client that the protocol changes and from then on passes bytes both ways, each no faster
 * than the other side takes them, and without any limit of time. When one side ends, the other gets
 * what is left and ends too; when one breaks, so does the other. `closed` resolves after both.
 */
export function openTunnel(
  exchange: Exchange,
  upgrade: Upgrade,
  end: TunnelEnd,
): { readonly close: () => void; readonly closed: Promise<void> } {
  const { socket: client } = upgrade;
  const { socket: server } = end;
  exchange.response.detachSocket(client);
  client.write(switchingHead(upgrade, end), 'latin1');
  if (end.head.length > 0) client.write(end.head);
  if (upgrade.head.length > 0) server.write(upgrade.head);
  const closed = Promise.withResolvers<void>();
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.setTimeout(0);
    one.setNoDelay(true);
    one.setKeepAlive(true, KEEP_ALIVE_MS);
    one.on('error', () => other.destroy());
    one.once('close', () => {
      if (one.errored === null && one.readableEnded) other.destroySoon();
      else other.destroy();
      if (other.closed) closed.resolve();
    });
    one.pipe(other);
  }
  const close = (): void => {
    client.destroy();
    server.destroy();
  };
  if (client.destroyed || server.destroyed) close();
  if (client.closed && server.closed) closed.resolve();
  return { close, closed: closed.promise };
}

function switchingHead(upgrade: Upgrade, { answer }: TunnelEnd): string {
  const headers = answerHeaders({
    headers: answer.rawHeaders,
    status: 101,
    isFromTarget: true,
    mayHaveTrailers: false,
  });
  const protocol = fieldValues(answer.rawHeaders, 'upgrade')[0] ?? upgrade.protocol;
  const lines = [...fieldsOf(headers)].map(([, name, value]) => `${name}: ${value}\r\n`);
  return (
    'HTTP/1.1 101 Switching Protocols\r\n' +
    `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n${lines.join('')}\r\n`
  );
}
