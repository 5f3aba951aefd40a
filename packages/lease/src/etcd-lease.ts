import { EtcdClient, type EtcdAccess } from './etcd-client.ts';
import {
  decodeEtcdRange,
  etcdKeys,
  fromBase64,
  toBase64,
  type EtcdKeys,
  type EtcdSnapshot,
} from './etcd-keys.ts';
import { numberIn, objectIn, objectsIn, stringIn, type JsonObject } from './json-value.ts';
import { systemLeaseClock, type LeaseClock } from './lease-clock.ts';
import { LeaseError } from './lease-error.ts';
import { LeaseObservation } from './lease-observation.ts';
import { encodeLeaseRecord, encodeMembers } from './lease-record.ts';
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

/** A watch without any change is begun anew after so long, in case the connection is dead. */
const WATCH_SILENCE_MS = 20 * 60_000;

export interface EtcdLeaseSettings extends LeaseSettings, EtcdAccess {
  /** Folder of the keys, such as `/tandem/shop`. */
  readonly prefix: string;
}

/** The hold on the key: without the lease that it hangs on, or created again, it is another's. */
interface Hold {
  readonly leaseId: string;
  readonly createRevision: number;
  readonly epoch: number;
  readonly durationMs: number;
}

/**
 * A key of etcd that hangs on an etcd lease. etcd itself deletes it when the lease is over, and
 * the epoch is written in the transaction that creates it, so the record is never half done.
 */
export class EtcdLease implements LeaseStore {
  readonly kind = 'etcd';
  readonly #settings: EtcdLeaseSettings;
  readonly #client: EtcdClient;
  readonly #clock: LeaseClock;
  readonly #keys: EtcdKeys;
  readonly #observation = new LeaseObservation();
  #hold: Hold | undefined;
  /** Granted for an attempt whose end is not known; to be revoked before the next. */
  #strayLeaseId: string | undefined;
  #epochSeen = 0;

  /** @throws LeaseError `lease_bad_setting` when endpoints or prefix cannot be used. */
  constructor(settings: EtcdLeaseSettings) {
    if (!/[^/]/.test(settings.prefix)) {
      throw new LeaseError('lease_bad_setting', `The prefix '${settings.prefix}' names no folder.`);
    }
    this.#settings = settings;
    this.#client = new EtcdClient(settings);
    this.#clock = settings.clock ?? systemLeaseClock;
    this.#keys = etcdKeys(settings.prefix);
  }

  async acquire(epochFloor: number, mayLead?: MayLead): Promise<AcquireOutcome> {
    try {
      if (this.#hold !== undefined) this.#strayLeaseId = this.#hold.leaseId;
      this.#hold = undefined;
      await this.#revokeStray();
      const snapshot = await this.#read();
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
      const sentMs = this.#clock.monotonicMs();
      const answer = await this.#call('/v3/lease/keepalive', { ID: hold.leaseId });
      const remaining = numberIn(objectIn(answer, 'result'), 'TTL') ?? 0;
      // The lease may live on although somebody deleted the key, so that another could take it.
      const snapshot = await this.#read();
      const isOurs = snapshot.leader?.createRevision === hold.createRevision;
      if (remaining <= 0 || !isOurs) {
        this.#hold = undefined;
        this.#strayLeaseId = hold.leaseId;
        const { holder } = snapshot.view;
        return holder === undefined || isOurs ? { kind: 'lost' } : { kind: 'lost', holder };
      }
      const { timings } = this.#settings;
      const effective = { ...timings, durationMs: hold.durationMs };
      const term = { epoch: hold.epoch, validUntilMs: validUntilMs(effective, sentMs) };
      return { kind: 'renewed', term };
    } catch (error) {
      return unknownOutcome(error);
    }
  }

  async release(options: ReleaseOptions = {}): Promise<void> {
    const hold = this.#hold;
    if (hold === undefined) return;
    this.#hold = undefined;
    this.#strayLeaseId = hold.leaseId;
    const reservation = reservationFor(options, this.#settings);
    const state = encodeLeaseRecord({ epoch: hold.epoch, ...reservation });
    await this.#transact(
      [created(this.#keys.leader, hold.createRevision)],
      [
        { requestDeleteRange: { key: this.#keys.leader } },
        { requestPut: { key: this.#keys.state, value: toBase64(state) } },
      ],
    );
    await this.#revokeStray();
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
    const key = this.#keys.clusterId;
    const answer = await this.#call('/v3/kv/txn', {
      compare: [created(key, 0)],
      success: [{ requestPut: { key, value: toBase64(candidate) } }],
      failure: [{ requestRange: { key } }],
    });
    if (answer['succeeded'] === true) return candidate;
    const kv = objectsIn(
      objectIn(objectsIn(answer, 'responses')[0] ?? {}, 'response_range'),
      'kvs',
    );
    const value = stringIn(kv[0] ?? {}, 'value');
    if (value !== undefined) return fromBase64(value);
    throw new LeaseError('lease_bad_answer', 'etcd gave no cluster id.', { retryable: true });
  }

  async recordMembers(members: readonly NodeIdentity[]): Promise<void> {
    const hold = this.#hold;
    const value = toBase64(encodeMembers(members));
    const isDone =
      hold !== undefined &&
      (await this.#transact(
        [created(this.#keys.leader, hold.createRevision)],
        [{ requestPut: { key: this.#keys.members, value } }],
      ));
    if (isDone) return;
    throw new LeaseError('lease_not_held', 'Only the primary records members.');
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  #obstacle(snapshot: EtcdSnapshot): AcquireOutcome | undefined {
    const { view, leader, state } = snapshot;
    this.#epochSeen = Math.max(this.#epochSeen, view.epoch);
    if (leader !== undefined) {
      if (view.holder !== undefined) {
        return { kind: 'held', holder: view.holder, epoch: view.epoch };
      }
      throw new LeaseError('lease_bad_answer', "The key 'leader' holds something of others.", {
        hint: 'Give Tandem a prefix of its own in etcd.',
      });
    }
    const nowMs = this.#clock.monotonicMs();
    const sinceMs = this.#observation.note(String(snapshot.stateRevision), nowMs);
    const { reservation } = state;
    if (reservation === undefined || reservation.successorName === this.#settings.self.name) {
      return undefined;
    }
    if (nowMs >= sinceMs + reservation.durationMs) return undefined;
    return { kind: 'reserved', successorName: reservation.successorName };
  }

  async #take(snapshot: EtcdSnapshot, epochFloor: number): Promise<AcquireOutcome> {
    const { self, timings } = this.#settings;
    const epoch = Math.max(this.#epochSeen, epochFloor) + 1;
    const sentMs = this.#clock.monotonicMs();
    const granted = await this.#call('/v3/lease/grant', {
      TTL: Math.ceil(timings.durationMs / 1000),
    });
    const leaseId = stringIn(granted, 'ID');
    const ttlMs = (numberIn(granted, 'TTL') ?? 0) * 1000;
    if (leaseId === undefined) throw new LeaseError('lease_bad_answer', 'etcd granted no lease.');
    this.#strayLeaseId = leaseId;
    const value = toBase64(encodeLeaseRecord({ epoch, holder: self }));
    const compare = [
      created(this.#keys.leader, 0),
      {
        key: this.#keys.state,
        target: 'MOD',
        result: 'EQUAL',
        mod_revision: snapshot.stateRevision,
      },
    ];
    const answer = await this.#call('/v3/kv/txn', {
      compare,
      success: [
        { requestPut: { key: this.#keys.leader, value, lease: leaseId } },
        { requestPut: { key: this.#keys.state, value } },
      ],
    });
    if (answer['succeeded'] !== true) {
      await this.#revokeStray();
      return this.#obstacle(await this.#read()) ?? { kind: 'waiting', untilMs: sentMs };
    }
    const createRevision = numberIn(objectIn(answer, 'header'), 'revision') ?? 0;
    const durationMs = Math.min(timings.durationMs, ttlMs);
    this.#hold = { leaseId, createRevision, epoch, durationMs };
    this.#strayLeaseId = undefined;
    this.#epochSeen = epoch;
    const term = { epoch, validUntilMs: validUntilMs({ ...timings, durationMs }, sentMs) };
    return { kind: 'acquired', term };
  }

  async #revokeStray(): Promise<void> {
    if (this.#strayLeaseId === undefined) return;
    try {
      await this.#call('/v3/lease/revoke', { ID: this.#strayLeaseId });
    } catch (error) {
      const isGone = error instanceof LeaseError && error.code === 'lease_not_held';
      if (!isGone) throw error;
    }
    this.#strayLeaseId = undefined;
  }

  async #watchOnce(onChange: (view: LeaseView) => void, signal: AbortSignal): Promise<void> {
    const snapshot = await this.#read();
    onChange(snapshot.view);
    const { first, end } = this.#keys;
    const stream = this.#client.stream(
      '/v3/watch',
      { create_request: { key: first, range_end: end, start_revision: snapshot.revision + 1 } },
      { timeoutMs: WATCH_SILENCE_MS, signal },
    );
    for await (const message of stream) {
      const result = objectIn(message, 'result');
      // Canceled: the revision was compacted away, or the token expired. The next round reads anew.
      if (message['error'] !== undefined || result['canceled'] === true) return;
      if (objectsIn(result, 'events').length > 0) onChange((await this.#read()).view);
    }
  }

  async #read(): Promise<EtcdSnapshot> {
    const { first, end } = this.#keys;
    const answer = await this.#call('/v3/kv/range', { key: first, range_end: end });
    return decodeEtcdRange(
      this.#keys,
      answer,
      numberIn(objectIn(answer, 'header'), 'revision') ?? 0,
    );
  }

  async #transact(
    compare: readonly JsonObject[],
    success: readonly JsonObject[],
  ): Promise<boolean> {
    const answer = await this.#call('/v3/kv/txn', { compare, success });
    return answer['succeeded'] === true;
  }

  #call(path: string, body: JsonObject): Promise<JsonObject> {
    return this.#client.call(path, body, requestTimeoutMs(this.#settings));
  }
}

/** Holds when the key was created at that revision; 0 when it does not exist. */
function created(key: string, revision: number): JsonObject {
  return { key, target: 'CREATE', result: 'EQUAL', create_revision: revision };
}
