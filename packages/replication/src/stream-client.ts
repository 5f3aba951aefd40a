import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Duplex } from 'node:stream';
import { MessageSocket } from './message-framing.ts';
import { ReplicaSession } from './replica-session.ts';
import { Repetitions } from './repetitions.ts';
import { ReplicationLags, type LagReading } from './replication-lag.ts';
import { describeFailure, type StreamEnd } from './stream-message.ts';
import { prepareSocket, STREAM_PATH, STREAM_PROTOCOL } from './stream-server.ts';
import type { StreamClock, StreamLog, StreamReplica, StreamSettings } from './stream-source.ts';

/** How a client speaks TLS, as PEM text. */
export interface StreamTls {
  /** Certificates to trust instead of the well-known ones. */
  readonly ca?: string;
  /** This node's own certificate and key, where the primary asks for one. */
  readonly cert?: string;
  readonly key?: string;
}

/** Pauses between attempts to connect: from the first on they double, less up to a half by chance. */
export interface BackOff {
  readonly minMs: number;
  readonly maxMs: number;
}

export const STREAM_BACK_OFF: BackOff = { minMs: 100, maxMs: 10_000 };

export interface StreamClientOptions {
  readonly replica: StreamReplica;
  /**
   * Base URL of the primary, with a query if there is more to ask of it; undefined while none is
   * known or this node is it.
   */
  readonly target: () => URL | undefined;
  readonly token?: string;
  readonly tls?: StreamTls;
  readonly clock: StreamClock;
  readonly settings: StreamSettings;
  readonly backOff: BackOff;
  /** Evenly from 0 to below 1. */
  readonly random: () => number;
  readonly connectTimeoutMs?: number;
  readonly log?: StreamLog;
  /** Told of each end. 'stop' makes `run` return instead of connecting again. */
  readonly onEnd?: (end: StreamEnd) => 'reconnect' | 'stop';
}

/** The state of a client. */
export type StreamClientState = 'idle' | 'connecting' | 'catching-up' | 'following';

const CONNECT_TIMEOUT_MS = 10_000;
const REFUSAL_CHARACTERS_MAX = 1000;

/** How long to wait before the attempt after `failures` failed ones; 0 after none. */
export function backOffMs(failures: number, { minMs, maxMs }: BackOff, random: number): number {
  if (failures === 0) return 0;
  // Beyond 2^30 the number says nothing more; infinity times 0 would be no number.
  const fullMs = Math.min(maxMs, minMs * 2 ** Math.min(failures - 1, 30));
  return fullMs * (1 - random / 2);
}

/** A replica's end of the stream: keeps one to whoever is primary. */
export class StreamClient {
  readonly #options: StreamClientOptions;
  readonly #lags = new ReplicationLags();
  readonly #repetitions = new Repetitions();
  #session: ReplicaSession | undefined;
  #isConnecting = false;
  /** The last target, whatever came of it; empty when there was none. */
  #target = '';
  /** Attempts in a row that led to nothing. */
  #failures = 0;
  #hurry: (() => void) | undefined;
  /** Gives up the attempt to connect that is under way. */
  #giveUp: (() => void) | undefined;

  constructor(options: StreamClientOptions) {
    this.#options = options;
  }

  get state(): StreamClientState {
    if (this.#session?.isReady === true) return 'following';
    if (this.#session?.isWelcome === true) return 'catching-up';
    return this.#isConnecting ? 'connecting' : 'idle';
  }

  /** The lag of each database of which a primary has been heard. */
  lags(): ReadonlyMap<string, LagReading> {
    const { clock, settings } = this.#options;
    return this.#lags.read(clock.monotonicMs(), 3 * settings.heartbeatMs);
  }

  /** The target may have changed: a stream to another ends, an attempt and a pause are cut short. */
  retarget(): void {
    const target = this.#options.target()?.href ?? '';
    if (target === this.#target) return;
    this.#failures = 0;
    this.#session?.close('another node is primary');
    this.#giveUp?.();
    this.#hurry?.();
  }

  /** Keeps a stream until `signal` aborts or `onEnd` says so, and what was under way has settled. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, backOff, onEnd } = this.#options;
    const stop = (): void => {
      this.#session?.close('this replica stops');
      this.#hurry?.();
    };
    signal.addEventListener('abort', stop);
    try {
      while (!signal.aborted) {
        const target = this.#options.target();
        this.#target = target?.href ?? '';
        const end = target && (await this.#stream(target, signal));
        if (signal.aborted) return;
        if (end !== undefined && onEnd?.(end) === 'stop') return;
        const isIdle = end === undefined;
        const pauseMs = isIdle ? backOff.maxMs : backOffMs(this.#failures, backOff, random());
        // Something may have changed while the stream was ending.
        if ((this.#options.target()?.href ?? '') === this.#target)
          await this.#pause(clock, pauseMs);
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async #stream(target: URL, signal: AbortSignal): Promise<StreamEnd> {
    const { clock, settings, replica, log } = this.#options;
    this.#isConnecting = true;
    const opened = await this.#open(target, signal);
    this.#isConnecting = false;
    let end = 'kind' in opened ? opened : undefined;
    let isReady = false;
    if ('duplex' in opened && !this.#isTarget(target)) {
      opened.duplex.destroy();
      end = { kind: 'ended', message: 'another node is primary' };
    } else if ('duplex' in opened) {
      const { duplex, head } = opened;
      prepareSocket(duplex);
      const socket = new MessageSocket(duplex, { clock, settings, head });
      const session = new ReplicaSession({ replica, socket, clock, settings, lags: this.#lags });
      this.#session = session;
      if (signal.aborted) session.close('this replica stops');
      if (this.#repetitions.isDue(target.origin, 'began', clock.monotonicMs())) {
        log?.('info', 'the stream from the primary began', { primary: target.origin });
      }
      end = await session.run();
      ({ isReady } = session);
      // It went on, so its end is new, and so is the next beginning.
      if (isReady) this.#repetitions.forget(target.origin);
      this.#session = undefined;
    }
    end ??= { kind: 'failed', message: 'There was no connection.' };
    // After a goodbye the next attempt comes at once. A stream that broke may have broken for all
    // replicas at the same moment, so they spread out.
    const isGoodbye = end.kind === 'ended' || end.kind === 'handed_off';
    this.#failures = isReady ? (isGoodbye ? 0 : 1) : this.#failures + 1;
    this.#tell(target.origin, end, isGoodbye ? 'info' : 'warn');
    return end;
  }

  /** Logs the end of a stream, unless there are many in a row. */
  #tell(primary: string, { kind, message, hint = '' }: StreamEnd, level: 'info' | 'warn'): void {
    const { clock, log } = this.#options;
    const isDue = this.#repetitions.isDue(primary, `${kind} ${message}`, clock.monotonicMs());
    if (!isDue) return;
    log?.(level, 'the stream from the primary ended', { primary, kind, message, hint });
  }

  /** Connects and upgrades. Never rejects. */
  #open(
    target: URL,
    signal: AbortSignal,
  ): Promise<{ duplex: Duplex; head: Uint8Array } | StreamEnd> {
    const { token, tls, connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const { promise, resolve } = Promise.withResolvers<
      { duplex: Duplex; head: Uint8Array } | StreamEnd
    >();
    const isSecure = target.protocol === 'https:';
    const request = (isSecure ? requestHttps : requestHttp)(
      new URL(STREAM_PATH + target.search, target),
      {
        method: 'POST',
        agent: false,
        headers: {
          connection: 'Upgrade',
          upgrade: STREAM_PROTOCOL,
          'content-length': '0',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(isSecure ? tls : {}),
      },
    );
    const giveUp = (why: string) => () => void request.destroy(new Error(why));
    const late = giveUp(`no answer within ${connectTimeoutMs} ms`);
    const cancel = this.#options.clock.after(connectTimeoutMs, late);
    const stop = giveUp('this replica stops');
    signal.addEventListener('abort', stop);
    this.#giveUp = giveUp('another node is primary');
    request.once('upgrade', (_answer, duplex, head) => resolve({ duplex, head }));
    request.once('response', (answer) => {
      void readRefusal(answer).then(resolve);
    });
    request.on('error', (error) => {
      const { message } = describeFailure(error);
      resolve({
        kind: 'lost',
        message: `Cannot connect to the primary at ${target.origin}: ${message}.`,
        hint: 'Check that the primary advertises an address that other nodes can reach.',
        cause: error,
      });
    });
    request.end();
    return promise.finally(() => {
      cancel();
      signal.removeEventListener('abort', stop);
      this.#giveUp = undefined;
    });
  }

  #isTarget(url: URL): boolean {
    return this.#options.target()?.href === url.href;
  }

  async #pause(clock: StreamClock, delayMs: number): Promise<void> {
    if (delayMs === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(delayMs, resolve);
    this.#hurry = resolve;
    await promise;
    this.#hurry = undefined;
    cancel();
  }
}

/** An answer other than the upgrade, as an end. Never rejects. */
async function readRefusal(answer: IncomingMessage): Promise<StreamEnd> {
  const status = answer.statusCode ?? 0;
  let text = '';
  try {
    for await (const piece of answer.setEncoding('utf8')) {
      text += String(piece);
      if (text.length > REFUSAL_CHARACTERS_MAX) break;
    }
  } catch {
    // The status says enough.
  }
  const said = text.trim().slice(0, REFUSAL_CHARACTERS_MAX);
  const message = `The primary answered ${status}${said === '' ? '' : `: ${said}`}`;
  return { kind: 'refused', code: `http_${status}`, message };
}
