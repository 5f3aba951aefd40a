import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Position } from './epoch-history.ts';
import type { StreamTls } from './stream-client.ts';

/** What a node tells others of itself. */
export interface PeerReport {
  readonly name: string;
  /** Of this start of its process; undefined from a release that does not say it. */
  readonly id?: string;
  readonly clusterId: string | undefined;
  readonly highestEpoch: number;
  readonly positions: Readonly<Record<string, Position>>;
  /**
   * For each database its last transaction, and the epoch that writes, or will write, the next. Where
   * a primary has begun without writing, it is above that of the position. Nodes compare these.
   */
  readonly standings?: Readonly<Record<string, Position>>;
  /** Whether it may confirm writes at this moment. */
  readonly isPrimary?: boolean;
  /** Where its proxy takes requests, if it has one. */
  readonly proxyUrl?: string;
}

export interface PeerAccess {
  readonly token?: string;
  readonly tls?: StreamTls;
  readonly timeoutMs: number;
}

/** How long another node may take to answer. */
const PEER_TIMEOUT_MS = 2000;

/** How a node speaks to the others. */
export function peerAccessOf({ token, tls }: Omit<PeerAccess, 'timeoutMs'>): PeerAccess {
  return {
    timeoutMs: PEER_TIMEOUT_MS,
    ...(token === undefined ? {} : { token }),
    ...(tls === undefined ? {} : { tls }),
  };
}

export const PEER_POSITION_PATH = '/tandem/position';
export const PEER_FAILSAFE_PATH = '/tandem/failsafe';
const ANSWER_BYTES_MAX = 1 << 20;

/** Asks a node for its positions. Rejects when it does not answer as it should. */
export async function askPosition(url: string, access: PeerAccess): Promise<PeerReport> {
  return parseReport(await ask(new URL(PEER_POSITION_PATH, url), access));
}

/** Asks a node to acknowledge the epoch and not to take the lease for `durationMs`. */
export async function askFailsafe(
  url: string,
  question: { readonly epoch: number; readonly durationMs: number },
  access: PeerAccess,
): Promise<boolean> {
  const answer = await ask(new URL(PEER_FAILSAFE_PATH, url), access, question);
  return Object(answer).acknowledged === true;
}

/** @throws TypeError when the answer is no report. */
function parseReport(value: unknown): PeerReport {
  const report = Object(value) as Partial<PeerReport>;
  const { name, id, clusterId, highestEpoch, positions, standings, isPrimary, proxyUrl } = report;
  if (typeof name !== 'string' || typeof highestEpoch !== 'number')
    throw new TypeError('no report');
  return {
    name,
    clusterId,
    highestEpoch,
    positions: parsePositions(positions),
    ...(id === undefined ? {} : { id: String(id) }),
    ...(standings === undefined ? {} : { standings: parsePositions(standings) }),
    ...(isPrimary === undefined ? {} : { isPrimary: Boolean(isPrimary) }),
    ...(proxyUrl === undefined ? {} : { proxyUrl: String(proxyUrl) }),
  };
}

/** @throws TypeError when one is none. */
function parsePositions(value: unknown): Record<string, Position> {
  const named = Object.entries(Object(value) as Record<string, unknown>).map(
    ([database, given]): [string, Position] => {
      const { epoch, txid } = Object(given) as Partial<Position>;
      const position = { epoch: Number(epoch), txid: Number(txid) };
      if (Number.isSafeInteger(position.epoch) && Number.isSafeInteger(position.txid)) {
        return [database, position];
      }
      throw new TypeError('no position');
    },
  );
  return Object.fromEntries(named);
}

function ask(url: URL, access: PeerAccess, body?: object): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const isSecure = url.protocol === 'https:';
  const text = body === undefined ? '' : JSON.stringify(body);
  const request = (isSecure ? requestHttps : requestHttp)(url, {
    method: body === undefined ? 'GET' : 'POST',
    agent: false,
    signal: AbortSignal.timeout(access.timeoutMs),
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      ...(access.token === undefined ? {} : { authorization: `Bearer ${access.token}` }),
    },
    ...(isSecure ? access.tls : {}),
  });
  request.on('error', reject);
  request.on('response', (answer) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    answer.on('error', reject);
    answer.on('data', (part: Buffer) => {
      bytes += part.length;
      parts.push(part);
      if (bytes > ANSWER_BYTES_MAX) answer.destroy(new Error('the answer is too long'));
    });
    answer.on('end', () => {
      if (answer.statusCode !== 200) {
        reject(new Error(`${url.origin} answered ${answer.statusCode}`));
        return;
      }
      try {
        resolve(JSON.parse(Buffer.concat(parts).toString('utf8')));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
  request.end(text);
  return promise;
}
