import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { NodeIdentity } from '@tandem/lease';
import type { PrimarySessionStatus } from './database-feed.ts';
import { MessageSocket } from './message-framing.ts';
import { PrimarySession } from './primary-session.ts';
import { Repetitions } from './repetitions.ts';
import { handOffFailure } from './stream-message.ts';
import type { StreamClock, StreamLog, StreamPrimary, StreamSettings } from './stream-source.ts';
import { TransferRate } from './transfer-rate.ts';

/** Where a node takes streams on. */
export const STREAM_PATH = '/tandem/stream';
/** What the connection is upgraded to. */
export const STREAM_PROTOCOL = 'tandem/1';

const KEEP_ALIVE_MS = 10_000;

/** Who may connect: whoever one of these lets in. With none of them, nobody. */
export interface StreamAccess {
  /** Tokens, one of which the request must bear. More than one while they are being changed. */
  readonly tokens?: readonly string[];
  /** Client certificates that the HTTPS server has verified against its own authority. */
  readonly acceptsCertificates?: boolean;
  /** Anyone on this machine. */
  readonly isOpenOnLoopback?: boolean;
}

export interface StreamServerOptions {
  /** This node as a primary; undefined while it is none. */
  readonly primary: () => StreamPrimary | undefined;
  readonly access: StreamAccess;
  readonly clock: StreamClock;
  readonly settings: StreamSettings;
  /** Pages of repairs, over all replicas together; undefined: as fast as it goes. */
  readonly repairBytesPerSecond?: number;
  readonly replicasMax?: number;
  readonly log?: StreamLog;
}

/** The primary's end of all streams: lets replicas in and serves each of them. */
export class StreamServer {
  readonly #options: StreamServerOptions;
  readonly #repairRate: TransferRate;
  readonly #tokenHashes: readonly Buffer[];
  readonly #sessions = new Map<PrimarySession, Promise<void>>();
  readonly #repetitions = new Repetitions();

  constructor(options: StreamServerOptions) {
    this.#options = options;
    this.#repairRate = new TransferRate(options.repairBytesPerSecond, options.clock);
    this.#tokenHashes = (options.access.tokens ?? [])
      .filter((token) => token !== '')
      .map((token) => hash('sha256', token, 'buffer'));
  }

  /** Every stream, also those that have not said who they are. */
  get sessions(): readonly PrimarySessionStatus[] {
    return Array.from(this.#sessions.keys(), ({ status }) => status);
  }

  /**
   * For the 'upgrade' event of the node's HTTP server. False when the request is for something else;
   * the socket is then untouched.
   */
  handleUpgrade(request: IncomingMessage, duplex: Duplex, head: Uint8Array): boolean {
    const path = (request.url ?? '').split('?', 1)[0];
    if (path !== STREAM_PATH) return false;
    duplex.on('error', () => duplex.destroy());
    const primary = this.#options.primary();
    const refusal = this.#refusal(request, duplex) ?? this.#unavailability(primary);
    if (refusal !== undefined || primary === undefined) {
      answer(duplex, refusal ?? NOT_PRIMARY);
      return true;
    }
    duplex.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${STREAM_PROTOCOL}\r\n\r\n`,
    );
    this.#serve(primary, duplex, head);
    return true;
  }

  /** A database has new transactions, a new history, or is new. */
  changed(name: string): void {
    for (const session of this.#sessions.keys()) session.changed(name);
  }

  /** There is no such database any more. */
  dropped(name: string): void {
    for (const session of this.#sessions.keys()) session.dropped(name);
  }

  /** `StreamPrimary.members` has changed. */
  membersChanged(): void {
    for (const session of this.#sessions.keys()) session.membersChanged();
  }

  /**
   * Asks the node of this name to take over; see `PrimarySession.handOff`.
   *
   * Rejects with BaseError `stream_hand_off_failed`, also when the node is not connected.
   */
  async handOff(nodeName: string, options: { readonly timeoutMs: number }): Promise<void> {
    const session = this.#sessionOf(nodeName);
    if (session === undefined) {
      throw handOffFailure(
        `${nodeName} is not connected to this primary (connected: ${this.#nodeNames().join(', ') || 'none'})`,
      );
    }
    await session.handOff(options);
  }

  /** Says goodbye to all replicas; resolves when nothing is left of the streams. */
  async close(reason: string): Promise<void> {
    for (const session of this.#sessions.keys()) session.close(reason);
    await Promise.all(this.#sessions.values());
  }

  #nodeNames(): string[] {
    return this.sessions.flatMap(({ node }) => (node === undefined ? [] : [node.name]));
  }

  #sessionOf(nodeName: string): PrimarySession | undefined {
    return [...this.#sessions.keys()].findLast(({ status }) => status.node?.name === nodeName);
  }

  #refusal(request: IncomingMessage, duplex: Duplex): HttpRefusal | undefined {
    const upgrade = request.headers.upgrade ?? '';
    if (request.method !== 'POST' || upgrade.toLowerCase() !== STREAM_PROTOCOL)
      return WRONG_UPGRADE;
    const { acceptsCertificates, isOpenOnLoopback } = this.#options.access;
    const isIn =
      (acceptsCertificates === true && hasVerifiedCertificate(duplex)) ||
      (isOpenOnLoopback === true && isFromLoopback(duplex)) ||
      this.#bearsToken(request.headers.authorization ?? '');
    return isIn ? undefined : UNAUTHORISED;
  }

  #unavailability(primary: StreamPrimary | undefined): HttpRefusal | undefined {
    if (primary === undefined) return NOT_PRIMARY;
    return this.#sessions.size >= (this.#options.replicasMax ?? 64) ? TOO_MANY : undefined;
  }

  #bearsToken(authorization: string): boolean {
    const given = hash(
      'sha256',
      /^Bearer +(?<token>\S+)$/i.exec(authorization)?.[1] ?? '',
      'buffer',
    );
    let isKnown = false;
    for (const known of this.#tokenHashes) isKnown = timingSafeEqual(known, given) || isKnown;
    return isKnown;
  }

  #serve(primary: StreamPrimary, duplex: Duplex, head: Uint8Array): void {
    const { clock, settings } = this.#options;
    prepareSocket(duplex);
    const session = new PrimarySession({
      primary,
      socket: new MessageSocket(duplex, { clock, settings, head }),
      clock,
      settings,
      repairRate: this.#repairRate,
      onWelcome: (node) => this.#welcomed(session, node),
    });
    this.#sessions.set(session, this.#follow(session));
  }

  async #follow(session: PrimarySession): Promise<void> {
    const end = await session.run();
    this.#sessions.delete(session);
    const { kind, message, hint = '' } = end;
    const node = session.status.node?.name ?? 'unknown';
    const level = kind === 'ended' ? 'info' : 'warn';
    // One that went on has a new end; one that is not taken on may try twice a second.
    if (session.status.isReady) this.#repetitions.forget(node);
    const nowMs = this.#options.clock.monotonicMs();
    if (!this.#repetitions.isDue(node, `${kind} ${message}`, nowMs)) return;
    this.#options.log?.(level, 'a stream to a replica ended', { node, kind, message, hint });
  }

  #welcomed(session: PrimarySession, { id, name }: NodeIdentity): void {
    this.#options.log?.('info', 'a stream to a replica began', { node: name, id });
    for (const other of this.#sessions.keys()) {
      const isOlder = other !== session && other.status.node?.name === name;
      if (isOlder) other.close(`${name} has connected anew`);
    }
  }
}

/** Makes a socket find out that its other end is gone, and send small messages at once. */
export function prepareSocket(duplex: Duplex): void {
  if (!(duplex instanceof Socket)) return;
  duplex.setTimeout(0);
  duplex.setNoDelay(true);
  duplex.setKeepAlive(true, KEEP_ALIVE_MS);
}

interface HttpRefusal {
  readonly status: string;
  readonly text: string;
  readonly header?: string;
}

const UNAUTHORISED: HttpRefusal = {
  status: '401 Unauthorized',
  header: 'WWW-Authenticate: Bearer',
  text: 'This node takes replicas on with its token, or with a client certificate where it verifies them. Give all nodes of the cluster the same token.',
};
const NOT_PRIMARY: HttpRefusal = {
  status: '503 Service Unavailable',
  header: 'Retry-After: 1',
  text: 'This node is not primary.',
};
const TOO_MANY: HttpRefusal = {
  status: '503 Service Unavailable',
  header: 'Retry-After: 10',
  text: 'This primary has as many streams as it may have.',
};
const WRONG_UPGRADE: HttpRefusal = {
  status: '426 Upgrade Required',
  header: `Upgrade: ${STREAM_PROTOCOL}`,
  text: `A stream begins with POST ${STREAM_PATH} and an upgrade to ${STREAM_PROTOCOL}.`,
};

function answer(duplex: Duplex, { status, text, header }: HttpRefusal): void {
  const body = `${text}\n`;
  const lines = [
    `HTTP/1.1 ${status}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(header === undefined ? [] : [header]),
  ];
  duplex.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => duplex.destroy());
}

function hasVerifiedCertificate(duplex: Duplex): boolean {
  if (!(duplex instanceof TLSSocket) || !duplex.authorized) return false;
  return Object.keys(duplex.getPeerCertificate()).length > 0;
}

function isFromLoopback(duplex: Duplex): boolean {
  const address = duplex instanceof Socket ? (duplex.remoteAddress ?? '') : '';
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}
