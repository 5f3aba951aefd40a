import { setTimeout as sleep } from 'node:timers/promises';
import { parseJsonObject, type JsonObject } from './json-value.ts';
import { KubernetesClient, type KubernetesAccess } from './kubernetes-client.ts';
import {
  decodeLeaseObject,
  epochOf,
  holderIdOf,
  LEASE_API,
  microTime,
  recordedDurationMs,
  renewTimeOf,
  reservationOf,
  signsOfLife,
  viewOfLeaseObject,
  withClusterId,
  withHolder,
  withMembers,
  withoutHolder,
  withRenewal,
  type KubernetesLeaseObject,
} from './kubernetes-object.ts';
import { KubernetesWatch } from './kubernetes-watch.ts';
import { systemLeaseClock, type LeaseClock } from './lease-clock.ts';
import { LeaseError } from './lease-error.ts';
import { LeaseObservation } from './lease-observation.ts';
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

/** Somebody else writes at the same moment at most so often before we give up. */
const CONFLICTS_MAX = 10;
const CONFLICT_DELAY_MS = 20;

export interface KubernetesLeaseSettings extends LeaseSettings, KubernetesAccess {
  readonly namespace: string;
  readonly leaseName: string;
}

/**
 * A Lease object of Kubernetes.
 *
 * The server only stores it; it does not know when a lease is over. So each candidate watches for
 * how long the record stays as it is. Every write is a PUT with the resourceVersion that was read
 * (a PATCH without one would overwrite blindly), so of two writers one wins (L7).
 */
export class KubernetesLease implements LeaseStore {
  readonly kind = 'kubernetes';
  readonly #settings: KubernetesLeaseSettings;
  readonly #client: KubernetesClient;
  readonly #clock: LeaseClock;
  readonly #folder: string;
  readonly #observation = new LeaseObservation();
  /** The object as this node last wrote it while holding the lease. */
  #held: { object: KubernetesLeaseObject; epoch: number } | undefined;
  /** What was last seen of another holder, whose lease may have been deleted since. */
  #foreign: { sinceMs: number; durationMs: number } | undefined;
  #epochSeen = 0;
  #writes = 0;

  /** @throws LeaseError `lease_bad_setting` when the address is no HTTP URL. */
  constructor(settings: KubernetesLeaseSettings) {
    this.#settings = settings;
    this.#client = new KubernetesClient(settings);
    this.#clock = settings.clock ?? systemLeaseClock;
    this.#folder = `/apis/${LEASE_API}/namespaces/${encodeURIComponent(settings.namespace)}/leases`;
  }

  async acquire(epochFloor: number, mayLead?: MayLead): Promise<AcquireOutcome> {
    try {
      this.#held = undefined;
      const object = await this.#read();
      const obstacle = object === undefined ? this.#ghost() : this.#obstacle(object);
      if (obstacle !== undefined) return obstacle;
      if (mayLead !== undefined && !(await mayLead(viewOfLeaseObject(object)))) {
        return { kind: 'declined' };
      }
      return await this.#take(object, epochFloor);
    } catch (error) {
      return unknownOutcome(error);
    }
  }

  async renew(): Promise<RenewOutcome> {
    const held = this.#held;
    if (held === undefined) return { kind: 'lost' };
    const { leaseName } = this.#settings;
    const sentMs = this.#clock.monotonicMs();
    const renewed = withRenewal(held.object, leaseName, this.#timestamp());
    try {
      const written = await this.#write(held.object, renewed);
      if (written !== 'conflict') return this.#renewed(written, sentMs);
    } catch (error) {
      return this.#afterSilence(unknownOutcome(error), renewed, sentMs);
    }
    return this.#renewAfterConflict();
  }

  async release(options: ReleaseOptions = {}): Promise<void> {
    const held = this.#held;
    if (held === undefined) return;
    const { reservation } = reservationFor(options, this.#settings);
    this.#held = undefined;
    await this.#rewrite((object) => {
      if (object === undefined || holderIdOf(object) !== this.#settings.self.id) return undefined;
      const change = { time: this.#timestamp(), reservation };
      return withoutHolder(object, this.#settings.leaseName, change);
    });
  }

  async observe(): Promise<LeaseView> {
    return viewOfLeaseObject(await this.#read());
  }

  async watch(
    onChange: (view: LeaseView) => void,
    signal: AbortSignal,
    onError?: (error: Error) => void,
  ): Promise<void> {
    const { leaseName, timings } = this.#settings;
    const watch = new KubernetesWatch({
      client: this.#client,
      folder: this.#folder,
      leaseName,
      retryMs: timings.retryMs,
      timeoutMs: requestTimeoutMs(this.#settings),
    });
    await watch.run((object) => onChange(viewOfLeaseObject(object)), signal, onError);
  }

  async claimClusterId(candidate: string): Promise<string> {
    let inForce = candidate;
    await this.#rewrite((object) => {
      const { clusterId } = viewOfLeaseObject(object);
      inForce = clusterId ?? candidate;
      if (clusterId !== undefined) return undefined;
      return withClusterId(object, this.#settings.leaseName, candidate);
    });
    return inForce;
  }

  async recordMembers(members: readonly NodeIdentity[]): Promise<void> {
    await this.#rewrite((object) => {
      const isHeld = this.#held !== undefined && object !== undefined;
      if (!isHeld || holderIdOf(object) !== this.#settings.self.id) {
        throw new LeaseError('lease_not_held', 'Only the primary records members.');
      }
      return withMembers(object, this.#settings.leaseName, members);
    });
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  /** Why the lease may not be taken now, by what was observed on the own monotonic clock. */
  #obstacle(object: KubernetesLeaseObject): AcquireOutcome | undefined {
    const { self, timings } = this.#settings;
    const nowMs = this.#clock.monotonicMs();
    const sinceMs = this.#observation.note(signsOfLife(object), nowMs);
    this.#epochSeen = Math.max(this.#epochSeen, epochOf(object));
    const holderId = holderIdOf(object);
    if (holderId === self.id) return undefined;
    if (holderId !== undefined) {
      const durationMs = recordedDurationMs(object) ?? timings.durationMs;
      this.#foreign = { sinceMs, durationMs };
      const view = viewOfLeaseObject(object);
      if (nowMs >= sinceMs + durationMs || view.holder === undefined) return undefined;
      return { kind: 'held', holder: view.holder, epoch: view.epoch };
    }
    this.#foreign = undefined;
    const reservation = reservationOf(object);
    if (reservation === undefined || reservation.successorName === self.name) return undefined;
    if (nowMs >= sinceMs + reservation.durationMs) return undefined;
    return { kind: 'reserved', successorName: reservation.successorName };
  }

  /** A deleted Lease does not end the right of a holder who may not know of it yet. */
  #ghost(): AcquireOutcome | undefined {
    if (this.#foreign === undefined) return undefined;
    const untilMs = this.#foreign.sinceMs + this.#foreign.durationMs;
    return this.#clock.monotonicMs() < untilMs ? { kind: 'waiting', untilMs } : undefined;
  }

  async #take(
    object: KubernetesLeaseObject | undefined,
    epochFloor: number,
  ): Promise<AcquireOutcome> {
    const { self, leaseName, timings } = this.#settings;
    const epoch = Math.max(this.#epochSeen, epochFloor) + 1;
    const time = this.#timestamp();
    const update = { holder: self, epoch, durationMs: timings.durationMs, time };
    const sentMs = this.#clock.monotonicMs();
    const written = await this.#write(object, withHolder(object, leaseName, update));
    if (written === 'conflict') return this.#afterLostRace();
    this.#held = { object: written, epoch };
    this.#epochSeen = epoch;
    this.#foreign = undefined;
    return { kind: 'acquired', term: { epoch, validUntilMs: validUntilMs(timings, sentMs) } };
  }

  async #afterLostRace(): Promise<AcquireOutcome> {
    const object = await this.#read();
    const obstacle = object === undefined ? undefined : this.#obstacle(object);
    return obstacle ?? { kind: 'waiting', untilMs: this.#clock.monotonicMs() };
  }

  #renewed(object: KubernetesLeaseObject, sentMs: number): RenewOutcome {
    const epoch = this.#held?.epoch ?? epochOf(object);
    this.#held = { object, epoch };
    const term = { epoch, validUntilMs: validUntilMs(this.#settings.timings, sentMs) };
    return { kind: 'renewed', term };
  }

  /** Somebody annotated the object, or took it: read it and, if it is still ours, write again. */
  async #renewAfterConflict(): Promise<RenewOutcome> {
    try {
      const object = await this.#read();
      if (object === undefined || !this.#isHeldIn(object)) return this.#lose(object);
      const sentMs = this.#clock.monotonicMs();
      const renewed = withRenewal(object, this.#settings.leaseName, this.#timestamp());
      const written = await this.#write(object, renewed);
      if (written !== 'conflict') return this.#renewed(written, sentMs);
      return unknownOutcome(new LeaseError('lease_no_answer', 'Two conflicts in a row.'));
    } catch (error) {
      return unknownOutcome(error);
    }
  }

  /** A renewal without an answer may have reached the server all the same. */
  async #afterSilence(
    unknown: RenewOutcome,
    renewed: JsonObject,
    sentMs: number,
  ): Promise<RenewOutcome> {
    try {
      const object = await this.#read();
      if (object === undefined || !this.#isHeldIn(object)) return this.#lose(object);
      const hasArrived =
        renewTimeOf(object) === renewTimeOf({ resourceVersion: '', json: renewed });
      if (hasArrived) return this.#renewed(object, sentMs);
      if (this.#held !== undefined) this.#held = { ...this.#held, object };
      return unknown;
    } catch (error) {
      unknownOutcome(error);
      return unknown;
    }
  }

  #isHeldIn(object: KubernetesLeaseObject): boolean {
    const isOurs = holderIdOf(object) === this.#settings.self.id;
    return isOurs && epochOf(object) === this.#held?.epoch;
  }

  /**
   * Differs from the one before even if the wall clock stands still: the server does not store a
   * PUT that changes nothing, and candidates would take the holder for silent.
   */
  #timestamp(): string {
    this.#writes += 1;
    return microTime(this.#clock.wallMs(), this.#writes % 1000);
  }

  #lose(object: KubernetesLeaseObject | undefined): RenewOutcome {
    this.#held = undefined;
    const { holder } = viewOfLeaseObject(object);
    return holder === undefined ? { kind: 'lost' } : { kind: 'lost', holder };
  }

  /** Reads, changes and writes until nobody came between. */
  async #rewrite(
    change: (object: KubernetesLeaseObject | undefined) => JsonObject | undefined,
  ): Promise<void> {
    for (let attempt = 1; attempt <= CONFLICTS_MAX; attempt += 1) {
      const object = await this.#read();
      const changed = change(object);
      if (changed === undefined) return;
      const written = await this.#write(object, changed);
      if (written !== 'conflict') {
        if (this.#held !== undefined && holderIdOf(written) === this.#settings.self.id) {
          this.#held = { ...this.#held, object: written };
        }
        return;
      }
      await sleep(CONFLICT_DELAY_MS * attempt);
    }
    throw new LeaseError('lease_no_answer', `${CONFLICTS_MAX} conflicts in a row.`, {
      retryable: true,
    });
  }

  async #read(): Promise<KubernetesLeaseObject | undefined> {
    const path = `${this.#folder}/${encodeURIComponent(this.#settings.leaseName)}`;
    const answer = await this.#client.exchange({
      method: 'GET',
      path,
      timeoutMs: requestTimeoutMs(this.#settings),
    });
    if (answer.status === 404) return undefined;
    return mustBeLease(answer.status, answer.text);
  }

  async #write(
    before: KubernetesLeaseObject | undefined,
    json: JsonObject,
  ): Promise<KubernetesLeaseObject | 'conflict'> {
    const name = encodeURIComponent(this.#settings.leaseName);
    const answer = await this.#client.exchange({
      method: before === undefined ? 'POST' : 'PUT',
      path: before === undefined ? this.#folder : `${this.#folder}/${name}`,
      body: JSON.stringify(json),
      timeoutMs: requestTimeoutMs(this.#settings),
    });
    // 409: changed, created or made anew since it was read; 404 to a PUT: deleted since then.
    const isDeleted = before !== undefined && answer.status === 404;
    if (answer.status === 409 || isDeleted) return 'conflict';
    return mustBeLease(answer.status, answer.text);
  }
}

function mustBeLease(status: number, text: string): KubernetesLeaseObject {
  if (status >= 500 || status === 429 || status === 408) {
    throw new LeaseError('lease_no_answer', `The API server answered ${status}.`, {
      retryable: true,
    });
  }
  const object = status < 300 ? decodeLeaseObject(parseJsonObject(text)) : undefined;
  if (object !== undefined) return object;
  throw new LeaseError(
    'lease_bad_answer',
    `The API server answered ${status}: ${text.slice(0, 300)}`,
    { hint: 'Check the address of the API server, the namespace and the name of the lease.' },
  );
}
