import type { Worker } from 'node:worker_threads';
import { BoundedQueue, assert, type Clock } from '@tandem/base';
import { HttpError, type Hit } from '@loggia/contract';
import { encodeHits } from './hit-text.ts';
import type { WriteOutcome } from './tail-writer.ts';
import type { DropCount, Refusal, WriterRequest, WriterResponse } from './writer-messages.ts';

export type { Refusal } from './writer-messages.ts';

/** Hits of one commit at most: enough to make its sync cheap, few enough to answer soon. */
const COMMIT_HITS_MAX = 5000;
/** Distinct (site, date, reason) counts that wait for a commit at most. */
const DROP_COUNTS_MAX = 10_000;
const RESTART_DELAY_MS = 1000;

/** What is called when hits have been stored, or are known not to be. */
export interface Settlement {
  /** After the commit; the indexes of `refusals` are those of the hits that were handed in. */
  readonly stored: (refusals: readonly Refusal[]) => void;
  /** None of the hits is stored. */
  readonly refused: (error: HttpError) => void;
}

/** Some hits of one request, which are answered together. */
interface Submission {
  readonly hits: readonly Hit[];
  readonly settlement: Settlement;
}

const NO_REFUSALS: readonly Refusal[] = [];

export interface CommitQueueOptions {
  readonly clock: Clock;
  /** Starts a thread that runs `serveWriter`. */
  readonly startWriter: () => Worker;
  /** Hits that may wait at once; more are refused. */
  readonly hitsMax: number;
  /** Called after each commit with the number of hits in it and how long it took. */
  readonly onCommit?: (hitCount: number, durationMs: number) => void;
  /** Called when the writer's thread ended by itself; it is started again. */
  readonly onWriterFailure?: (error: Error) => void;
}

/**
 * Group commit. Hits that arrive while a commit is under way form the next one, so the more arrive,
 * the more of them share a sync.
 *
 * I1. A submission is told `stored` only after its hits are committed and synced.
 * I2. A submission that is refused has stored none of its hits, unless the writer's thread died or the
 *     process was killed between commit and answer.
 * I3. At most `hitsMax` hits wait; a submission that does not fit is refused at once and whole.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions;
  readonly #waiting: BoundedQueue<Submission>;
  readonly #drops = new Map<string, DropCount>();
  #waitingHits = 0;
  #writer: Worker | undefined;
  #ready = Promise.withResolvers<void>();
  #isReady = false;
  #inFlight: readonly Submission[] | undefined;
  #inFlightDrops: readonly DropCount[] = [];
  #inFlightStartMs = 0;
  #upkeepDueMs: number | undefined;
  /** Counts of dropped events alone are worth a commit only now and then. */
  #dropsDue = false;
  #isScheduled = false;
  #closing: PromiseWithResolvers<void> | undefined;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
    this.#waiting = new BoundedQueue(options.hitsMax);
    // Whoever does not wait for `ready` hears of the failure through `onWriterFailure`.
    this.#ready.promise.catch(() => undefined);
    this.#start();
  }

  /** Resolves when the writer has opened the journal; rejects when its first thread ended before. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Whether the writer can take hits right now. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Hits that wait or are being committed. */
  get depth(): number {
    return this.#waitingHits + countHits(this.#inFlight ?? []);
  }

  /**
   * Stores `hits` durably.
   *
   * @returns one outcome per hit, after the commit.
   * @throws HttpError `overloaded`, `storage_full`, `storage_failed` or `shutting_down`, with none
   *   of the hits stored.
   */
  submit(hits: readonly Hit[]): Promise<readonly WriteOutcome[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly WriteOutcome[]>();
    this.enqueue(hits, {
      stored: (refusals) => {
        const outcomes = Array.from<WriteOutcome>({ length: hits.length }).fill(null);
        for (const { index, reason } of refusals) outcomes[index] = reason;
        resolve(outcomes);
      },
      refused: reject,
    });
    return promise;
  }

  /** As `submit`, without a promise for each call: `settlement` is called once, maybe at once. */
  enqueue(hits: readonly Hit[], settlement: Settlement): void {
    const refusal = this.#refusalOf(hits.length);
    if (refusal !== undefined || !this.#waiting.tryPush({ hits, settlement })) {
      settlement.refused(refusal ?? overloaded());
      return;
    }
    this.#waitingHits += hits.length;
    this.#commitSoon();
  }

  #refusalOf(hitCount: number): HttpError | undefined {
    if (this.#closing !== undefined) {
      return new HttpError('shutting_down', 'The server is stopping.');
    }
    const { hitsMax } = this.#options;
    if (hitCount > hitsMax) return neverFits(hitsMax);
    return this.#waitingHits + hitCount > hitsMax ? overloaded() : undefined;
  }

  /** Adds to the counts of dropped events, which go along with the next commit. */
  countDrop(drop: Omit<DropCount, 'count'>): void {
    const key = `${drop.siteId}/${drop.date}/${drop.reason}`;
    const known = this.#drops.get(key);
    if (known === undefined && this.#drops.size >= DROP_COUNTS_MAX) return;
    this.#drops.set(key, { ...drop, count: (known?.count ?? 0) + 1 });
  }

  /** Asks for one turn of upkeep, and commits the counts of dropped events, when there is time. */
  keepUp(nowMs: number): void {
    this.#upkeepDueMs = nowMs;
    this.#dropsDue = this.#drops.size > 0;
    this.#commitNext();
  }

  /** Refuses what comes from now on, commits what waits, closes the journal, ends the thread. */
  async close(): Promise<void> {
    this.#closing ??= Promise.withResolvers<void>();
    this.#dropsDue = this.#drops.size > 0;
    if (this.#writer === undefined) this.#closing.resolve();
    clearTimeout(this.#restart);
    this.#commitNext();
    await this.#closing.promise;
  }

  #start(): void {
    const writer = this.#options.startWriter();
    this.#writer = writer;
    writer.on('message', (response: WriterResponse) => this.#receive(response));
    writer.on('error', (error) => this.#fail(writer, error));
    writer.on('exit', () => this.#fail(writer, new Error('the writer ended')));
  }

  /** Commits once all that has arrived by now has been read, so that it shares one sync. */
  #commitSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#commitNext();
    });
  }

  #commitNext(): void {
    if (!this.#isReady || this.#inFlight !== undefined) return;
    if (this.#waiting.size === 0 && !this.#dropsDue) {
      this.#idle();
      return;
    }
    const submissions = this.#takeSubmissions();
    const drops = Array.from(this.#drops.values());
    this.#drops.clear();
    this.#dropsDue = false;
    this.#inFlightDrops = drops;
    this.#send(
      {
        kind: 'write',
        hitsText: encodeHits(submissions.flatMap((each) => each.hits)),
        drops,
        nowMs: this.#options.clock.nowMs(),
      },
      submissions,
    );
  }

  /** What is done when no hit waits: upkeep first, closing last. */
  #idle(): void {
    if (this.#upkeepDueMs !== undefined) {
      this.#send({ kind: 'upkeep', nowMs: this.#upkeepDueMs }, []);
      this.#upkeepDueMs = undefined;
    } else if (this.#closing !== undefined) {
      this.#send({ kind: 'close' }, []);
    }
  }

  #takeSubmissions(): Submission[] {
    const taken: Submission[] = [];
    for (let hitCount = 0; hitCount < COMMIT_HITS_MAX;) {
      const next = this.#waiting.take();
      if (next === undefined) break;
      taken.push(next);
      hitCount += next.hits.length;
    }
    this.#waitingHits -= countHits(taken);
    return taken;
  }

  #send(request: WriterRequest, submissions: readonly Submission[]): void {
    this.#inFlight = submissions;
    this.#inFlightStartMs = performance.now();
    this.#writer?.postMessage(request);
  }

  #receive(response: WriterResponse): void {
    if (response.kind === 'ready') {
      this.#isReady = true;
      this.#ready.resolve();
      this.#commitNext();
      return;
    }
    const submissions = this.#inFlight;
    assert(submissions !== undefined, 'an answer follows a request');
    this.#inFlight = undefined;
    switch (response.kind) {
      case 'written':
        this.#answer(submissions, response.refusals);
        break;
      case 'failed':
        this.#refuse(submissions, new HttpError(response.code, response.message));
        break;
      case 'kept':
        if (response.purgedRows > 0) this.#upkeepDueMs = this.#options.clock.nowMs();
        break;
      case 'closed':
        this.#isReady = false;
        this.#closing?.resolve();
        return;
    }
    this.#inFlightDrops = [];
    this.#commitSoon();
  }

  /** `refusals` are in the order of the hits. */
  #answer(submissions: readonly Submission[], refusals: readonly Refusal[]): void {
    this.#options.onCommit?.(countHits(submissions), performance.now() - this.#inFlightStartMs);
    let offset = 0;
    let told = 0;
    for (const { hits, settlement } of submissions) {
      const end = offset + hits.length;
      let own: Refusal[] | undefined;
      for (let next = refusals[told]; next !== undefined && next.index < end;) {
        own ??= [];
        own.push({ index: next.index - offset, reason: next.reason });
        told += 1;
        next = refusals[told];
      }
      settlement.stored(own ?? NO_REFUSALS);
      offset = end;
    }
    assert(told === refusals.length, 'every refusal is of a hit');
  }

  /** Rejects `submissions`; the counts of dropped events wait for the next commit. */
  #refuse(submissions: readonly Submission[], error: HttpError): void {
    for (const { settlement } of submissions) settlement.refused(error);
    for (const drop of this.#inFlightDrops) {
      const key = `${drop.siteId}/${drop.date}/${drop.reason}`;
      const count = drop.count + (this.#drops.get(key)?.count ?? 0);
      this.#drops.set(key, { ...drop, count });
    }
    this.#inFlightDrops = [];
  }

  /** The writer's thread is gone: what was in flight is refused, what waits goes to its successor. */
  #fail(writer: Worker, error: Error): void {
    if (writer !== this.#writer) return;
    this.#writer = undefined;
    this.#isReady = false;
    const submissions = this.#inFlight ?? [];
    this.#inFlight = undefined;
    if (this.#closing !== undefined) {
      this.#refuse([...submissions, ...this.#takeSubmissions()], storageFailed(error));
      this.#closing.resolve();
      return;
    }
    this.#refuse(submissions, storageFailed(error));
    this.#ready.reject(error);
    this.#options.onWriterFailure?.(error);
    this.#restart = setTimeout(() => this.#start(), RESTART_DELAY_MS);
    this.#restart.unref();
  }
}

function countHits(submissions: readonly Submission[]): number {
  let count = 0;
  for (const { hits } of submissions) count += hits.length;
  return count;
}

function overloaded(): HttpError {
  return new HttpError('overloaded', 'Too many events are waiting to be stored.', {
    hint: 'Send them again after the time in Retry-After.',
    retryable: true,
  });
}

function neverFits(hitsMax: number): HttpError {
  return new HttpError('overloaded', `More than ${hitsMax} events at once can never be stored.`, {
    hint: 'Send fewer at a time, or raise the number of events that may wait.',
  });
}

function storageFailed(cause: Error): HttpError {
  return new HttpError('storage_failed', 'The journal cannot be written at the moment.', {
    cause,
    retryable: true,
  });
}
