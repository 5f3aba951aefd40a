import {
  ConsulClient,
  parseConsulUrl,
  type ConsulAccess,
  type ConsulEntries,
  type ConsulEntry,
} from './consul-client.ts';
import { systemLeaseClock, type LeaseClock } from './lease-clock.ts';
import { LeaseError } from './lease-error.ts';
import { LeaseObservation } from './lease-observation.ts';
import {
  decodeLeaseRecord,
  decodeMembers,
  encodeLeaseRecord,
  encodeMembers,
  type LeaseRecord,
} from './lease-record.ts';
import {
  requestTimeoutMs,
  reservationFor,
  unknownOutcome,
  type LeaseSettings,
} from './lease-settings.ts';
import type {
  AcquireOutcome,
  LeaseStore,
  LeaseView,
  MayLead,
  ReleaseOptions,
  RenewOutcome,
} from './lease-store.ts';
import { validUntilMs } from './lease-timings.ts';
import type { NodeIdentity } from './node-identity.ts';
import { watchLoop } from './watch-loop.ts';

/** What Consul accepts as the TTL of a session. */
const TTL_MIN_MS = 10_000;
const TTL_MAX_MS = 86_400_000;
const LOCK_DELAY_MS = 1000;
const LOCK_DELAY_MAX_MS = 60_000;

export interface ConsulLeaseSettings extends LeaseSettings, ConsulAccess {
  /** The key of the lock, such as `tandem/primary`; the path of `url` comes before it. */
  readonly key: string;
  /** Nobody gets the lock for so long after a session ended by itself; by default a second. */
  readonly lockDelayMs?: number;
}

/** What one read says, taken apart. */
interface ConsulSnapshot {
  readonly lock: ConsulEntry | undefined;
  readonly record: LeaseRecord;
  readonly view: LeaseView;
}

/**
 * A key of Consul locked by a session. Consul ends the session when it is not renewed for its TTL
 * (and at the latest after twice that), and keeps the key: so the epoch in it outlives the holder.
 */
export class ConsulLease implements LeaseStore {
  readonly kind = 'consul';
  readonly #settings: ConsulLeaseSettings;
  readonly #client: ConsulClient;
  readonly #clock: LeaseClock;
  readonly #key: string;
  readonly #lockDelayMs: number;
  readonly #observation = new LeaseObservation();
  #hold: { session: string; epoch: number } | undefined;
  /** Made for an attempt whose end is not known; to be destroyed before the next. */
  #straySession: string | undefined;
  #epochSeen = 0;

  /** @throws LeaseError `lease_bad_setting` for an address, key or duration that cannot work. */
  constructor(settings: ConsulLeaseSettings) {
    const { durationMs } = settings.timings;
    if (durationMs < TTL_MIN_MS || durationMs > TTL_MAX_MS) {
      throw new LeaseError(
        'lease_bad_setting',
        `A lease of kind consul cannot last ${durationMs} ms.`,
        { hint: 'Consul accepts sessions of 10 s to 24 h; make the duration at least 10 s.' },
      );
    }
    const lockDelayMs = settings.lockDelayMs ?? LOCK_DELAY_MS;
    if (!(lockDelayMs >= 0 && lockDelayMs <= LOCK_DELAY_MAX_MS)) {
      throw new LeaseError(
        'lease_bad_setting',
        `The lock delay of ${lockDelayMs} ms is too long.`,
        {
          hint: 'Consul accepts lock delays of 0 to 60 s.',
        },
      );
    }
    const { keyPrefix } = parseConsulUrl(settings.url);
    const key = [keyPrefix, settings.key].join('/').replace(/^\/+|\/+$/g, '');
    if (key === '')
      throw new LeaseError('lease_bad_setting', 'A lease of kind consul needs a key.');
    this.#settings = settings;
    this.#client = new ConsulClient(settings);
    this.#clock = settings.clock ?? systemLeaseClock;
    this.#key = key;
    this.#lockDelayMs = lockDelayMs;
  }

  async acquire(epochFloor: number, mayLead?: MayLead): Promise<AcquireOutcome> {
    try {
      if (this.#hold !== undefined) this.#straySession = this.#hold.session;
      this.#hold = undefined;
      await this.#destroyStray();
      const snapshot = await this.#readForLock();
      const obstacle = this.#obstacle(snapshot);
      if (obstacle !== undefined) return obstacle;
      if (mayLead !== undefined && !(await mayLead(snapshot.view))) return { kind: 'declined' };
      return await this.#take(snapshot, epochFloor);
    } catch (error) {
      return unknownOutcome(error);
    }
  }

  async renew(): Promise<RenewOutcome> {
    const hold = this.#hold;
    if (hold === undefined) return { kind: 'lost' };
    try {
      const { timings } = this.#settings;
      const sentMs = this.#clock.monotonicMs();
      const isAlive = await this.#client.renewSession(hold.session, this.#timeoutMs);
      // The session may live on although somebody released or deleted the key.
      const { lock, view } = await this.#read();
      if (isAlive && lock?.session === hold.session) {
        const term = { epoch: hold.epoch, validUntilMs: validUntilMs(timings, sentMs) };
        return { kind: 'renewed', term };
      }
      this.#hold = undefined;
      if (isAlive) this.#straySession = hold.session;
      const isOurs = view.holder?.id === this.#settings.self.id;
      return view.holder === undefined || isOurs
        ? { kind: 'lost' }
        : { kind: 'lost', holder: view.holder };
    } catch (error) {
      return unknownOutcome(error);
    }
  }

  async release(options: ReleaseOptions = {}): Promise<void> {
    const hold = this.#hold;
    if (hold === undefined) return;
    this.#hold = undefined;
    this.#straySession = hold.session;
    const record = { epoch: hold.epoch, ...reservationFor(options, this.#settings) };
    // Unlocking, unlike the end of a session, brings no lock delay.
    await this.#transact([
      { Verb: 'unlock', Key: this.#key, Session: hold.session, Value: encodeValue(record) },
    ]);
    await this.#destroyStray();
  }

  async observe(): Promise<LeaseView> {
    return (await this.#read()).view;
  }

  async watch(
    onChange: (view: LeaseView) => void,
    signal: AbortSignal,
    onError?: (error: Error) => void,
  ): Promise<void> {
    const { retryMs } = this.#settings.timings;
    await watchLoop(() => this.#watchOnce(onChange, signal), { retryMs, signal, onError });
  }

  async claimClusterId(candidate: string): Promise<string> {
    const key = this.#clusterIdKey;
    if (await this.#client.createKey(key, candidate, this.#timeoutMs)) return candidate;
    const { clusterId } = (await this.#read()).view;
    if (clusterId !== undefined) return clusterId;
    throw new LeaseError('lease_bad_answer', 'Consul gave no cluster id.', { retryable: true });
  }

  async recordMembers(members: readonly NodeIdentity[]): Promise<void> {
    const hold = this.#hold;
    const Value = Buffer.from(encodeMembers(members)).toString('base64');
    const isDone =
      hold !== undefined &&
      (await this.#transact([
        { Verb: 'check-session', Key: this.#key, Session: hold.session },
        { Verb: 'set', Key: this.#membersKey, Value },
      ]));
    if (isDone) return;
    throw new LeaseError('lease_not_held', 'Only the primary records members.');
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  get #timeoutMs(): number {
    return requestTimeoutMs(this.#settings);
  }

  /** Where LiteFS keeps it too. */
  get #clusterIdKey(): string {
    return `${this.#key}/clusterid`;
  }

  get #membersKey(): string {
    return `${this.#key}/members`;
  }

  #obstacle(snapshot: ConsulSnapshot): AcquireOutcome | undefined {
    const { lock, record, view } = snapshot;
    this.#epochSeen = Math.max(this.#epochSeen, view.epoch);
    if (lock?.session !== undefined) {
      if (view.holder !== undefined) {
        return { kind: 'held', holder: view.holder, epoch: view.epoch };
      }
      throw new LeaseError('lease_bad_answer', `Something else has locked '${this.#key}'.`, {
        hint: 'LiteFS with the same key? Stop it, or give Tandem a key of its own.',
      });
    }
    const nowMs = this.#clock.monotonicMs();
    const sinceMs = this.#observation.note(String(lock?.modifyIndex ?? 0), nowMs);
    const { reservation } = record;
    if (reservation === undefined || reservation.successorName === this.#settings.self.name) {
      return undefined;
    }
    if (nowMs >= sinceMs + reservation.durationMs) return undefined;
    return { kind: 'reserved', successorName: reservation.successorName };
  }

  async #take(snapshot: ConsulSnapshot, epochFloor: number): Promise<AcquireOutcome> {
    const { self, timings } = this.#settings;
    const epoch = Math.max(this.#epochSeen, epochFloor) + 1;
    const sentMs = this.#clock.monotonicMs();
    const session = await this.#client.createSession(
      { name: `tandem ${self.name}`, ttlMs: timings.durationMs, lockDelayMs: this.#lockDelayMs },
      this.#timeoutMs,
    );
    this.#straySession = session;
    const isTaken = await this.#transact([
      { Verb: 'check-index', Key: this.#key, Index: snapshot.lock?.modifyIndex ?? 0 },
      {
        Verb: 'lock',
        Key: this.#key,
        Session: session,
        Value: encodeValue({ epoch, holder: self }),
      },
    ]);
    if (!isTaken) {
      await this.#destroyStray();
      // Another was first, or the lock delay is not over yet; Consul does not say for how long.
      const untilMs = this.#clock.monotonicMs() + this.#lockDelayMs;
      return this.#obstacle(await this.#read()) ?? { kind: 'waiting', untilMs };
    }
    this.#straySession = undefined;
    this.#hold = { session, epoch };
    this.#epochSeen = epoch;
    return { kind: 'acquired', term: { epoch, validUntilMs: validUntilMs(timings, sentMs) } };
  }

  async #destroyStray(): Promise<void> {
    if (this.#straySession === undefined) return;
    await this.#client.destroySession(this.#straySession, this.#timeoutMs);
    this.#straySession = undefined;
  }

  async #watchOnce(onChange: (view: LeaseView) => void, signal: AbortSignal): Promise<void> {
    let index = 0;
    let told: string | undefined;
    while (!signal.aborted) {
      const entries = await this.#client.readChange(this.#key, index, signal);
      const { view } = this.#decode(entries);
      const text = JSON.stringify(view);
      if (text !== told) onChange(view);
      told = text;
      // An index that goes backwards, after a restore, must not be waited for.
      if (entries.index < 1) return;
      index = entries.index < index ? 0 : entries.index;
    }
  }

  /** Reads; makes the key first if there is none, so that taking it can depend on its index. */
  async #readForLock(): Promise<ConsulSnapshot> {
    const snapshot = await this.#read();
    if (snapshot.lock !== undefined) return snapshot;
    await this.#client.createKey(this.#key, encodeLeaseRecord({ epoch: 0 }), this.#timeoutMs);
    return this.#read();
  }

  async #read(): Promise<ConsulSnapshot> {
    return this.#decode(await this.#client.read(this.#key, this.#timeoutMs));
  }

  #decode({ entries }: ConsulEntries): ConsulSnapshot {
    const entry = (key: string): ConsulEntry | undefined =>
      entries.find((candidate) => candidate.key === key);
    const lock = entry(this.#key);
    const record = decodeLeaseRecord(lock?.text ?? '');
    const { epoch, reservation } = record;
    const holder = lock?.session === undefined ? undefined : record.holder;
    const clusterId = entry(this.#clusterIdKey)?.text;
    const view: LeaseView = {
      ...(holder === undefined ? {} : { holder }),
      epoch,
      ...(clusterId === undefined ? {} : { clusterId }),
      members: decodeMembers(entry(this.#membersKey)?.text),
      // A holder whose session ended by itself leaves its name in the value.
      isReleased: lock?.session === undefined && epoch > 0 && record.holder === undefined,
      ...(reservation === undefined ? {} : { successorName: reservation.successorName }),
    };
    return { lock, record, view };
  }

  #transact(operations: readonly Readonly<Record<string, unknown>>[]): Promise<boolean> {
    return this.#client.transact(operations, this.#timeoutMs);
  }
}

function encodeValue(record: LeaseRecord): string {
  return Buffer.from(encodeLeaseRecord(record)).toString('base64');
}
