import type { AcknowledgementMode, Position } from '../src/index.ts';
import type { DatabaseAudit, SimAudit, StateAt, WriteRequest, WriteResult } from './fault-app.ts';

interface Attempt {
  readonly node: string;
  readonly request: WriteRequest;
  readonly result: WriteResult;
}

interface Confirmation {
  readonly node: string;
  readonly epoch: number;
  readonly decidedNs: bigint;
}

/** What a run came to. */
export interface LedgerCounts {
  readonly attempts: number;
  readonly confirmed: Readonly<Record<AcknowledgementMode, number>>;
  readonly unknown: number;
  readonly reads: number;
  /** Reads of a state that a primary or another node had shown under the same name. */
  readonly comparedReads: number;
  readonly epochs: number;
  readonly quarantined: number;
  /** Confirmed without anybody else having it, and not in the end. */
  readonly lostOfModeNone: number;
}

const VIOLATIONS_MAX = 20;

/** All that clients saw, and what must hold of it. */
export class Ledger {
  readonly #attempts: Attempt[] = [];
  readonly #states = new Map<string, { readonly state: string; readonly node: string }>();
  readonly #confirmations: Confirmation[] = [];
  readonly #forgiven: { readonly database: string; readonly position: Position }[] = [];
  readonly #violations: string[] = [];
  readonly #dropped = new Set<string>();
  #reads = 0;
  #comparedReads = 0;
  #lostOfModeNone = 0;
  #quarantined = 0;

  get violations(): readonly string[] {
    return this.#violations;
  }

  get counts(): LedgerCounts {
    const confirmed = { none: 0, one: 0, majority: 0 };
    let unknown = 0;
    for (const { result, request } of this.#attempts) {
      if (result.kind === 'confirmed') confirmed[request.mode] += 1;
      if (result.kind === 'unknown') unknown += 1;
    }
    return {
      attempts: this.#attempts.length,
      confirmed,
      unknown,
      reads: this.#reads,
      comparedReads: this.#comparedReads,
      epochs: new Set(this.#confirmations.map(({ epoch }) => epoch)).size,
      quarantined: this.#quarantined,
      lostOfModeNone: this.#lostOfModeNone,
    };
  }

  violate(what: string): void {
    if (this.#violations.length < VIOLATIONS_MAX) this.#violations.push(what);
  }

  wrote(node: string, request: WriteRequest, result: WriteResult): void {
    this.#attempts.push({ node, request, result });
    if ('at' in result && result.at !== undefined) this.saw(node, request.database, result.at);
    if (result.kind !== 'confirmed') return;
    const { epoch, decidedNs } = result;
    this.#confirmations.push({ node, epoch, decidedNs: BigInt(decidedNs) });
  }

  /** Replicas are prefixes: one position, one state, wherever it is read. */
  saw(node: string, database: string, { position, state }: StateAt): void {
    this.#reads += 1;
    const key = `${database} ${position.epoch}.${position.txid}`;
    const known = this.#states.get(key);
    if (known === undefined) {
      this.#states.set(key, { state, node });
      return;
    }
    if (known.node !== node) this.#comparedReads += 1;
    if (known.state === state) return;
    this.violate(`${key}: ${node} read '${state}', ${known.node} '${known.state}'`);
  }

  /** What was in a database that was dropped on purpose is not asked for. */
  dropped(database: string): void {
    this.#dropped.add(database);
  }

  /** A node said that what a client had seen is lost. */
  forgave(database: string, position: Position): void {
    this.#forgiven.push({ database, position });
  }

  /**
   * Judges the whole after everything has healed.
   *
   * @param guarded - the modes whose confirmations may not be lost under the faults there were
   */
  judge(audits: ReadonlyMap<string, SimAudit>, guarded: readonly AcknowledgementMode[]): void {
    this.#judgeEpochs();
    const [first] = audits.values();
    if (first === undefined) return;
    for (const [node, audit] of audits) this.#judgeNode(node, audit, first);
    const cases = [...audits.values()].flatMap(({ quarantine }) => quarantine);
    this.#quarantined = cases.length;
    const final = new Map(first.databases.map((database) => [database.name, database]));
    this.#judgeWrites(final, cases, guarded);
    for (const { database, position } of this.#forgiven) {
      const last = final.get(database);
      const isDropped = this.#dropped.has(database);
      if (isDropped || last === undefined || !holds(last, position)) continue;
      this.violate(`${database} ${position.epoch}.${position.txid} was called lost and is there`);
    }
  }

  /** One node confirms in one epoch, and none in an epoch below one that has been. */
  #judgeEpochs(): void {
    const nodes = new Map<number, string>();
    let highest = 0;
    for (const { node, epoch, decidedNs } of this.#confirmations.toSorted((a, b) =>
      a.decidedNs < b.decidedNs ? -1 : 1,
    )) {
      const other = nodes.get(epoch) ?? node;
      nodes.set(epoch, node);
      if (other !== node) this.violate(`${node} and ${other} confirmed writes in epoch ${epoch}`);
      if (epoch < highest) {
        this.violate(`${node} confirmed in epoch ${epoch} after ${highest} began, at ${decidedNs}`);
      }
      highest = Math.max(highest, epoch);
    }
  }

  #judgeNode(node: string, audit: SimAudit, first: SimAudit): void {
    const names = (of: SimAudit): string =>
      of.databases
        .map(({ name }) => name)
        .toSorted()
        .join();
    if (names(audit) !== names(first)) {
      this.violate(`${node} has ${names(audit)}, another node ${names(first)}`);
    }
    for (const { name, digest, integrity, differingPages } of audit.databases) {
      const other = first.databases.find((each) => each.name === name);
      if (other?.digest !== digest) this.violate(`${node} has another ${name}`);
      if (integrity !== 'ok') this.violate(`${name} on ${node}: ${integrity}`);
      if (differingPages > 0) this.violate(`${name} on ${node}: ${differingPages} pages differ`);
    }
  }

  #judgeWrites(
    final: ReadonlyMap<string, DatabaseAudit>,
    cases: SimAudit['quarantine'],
    guarded: readonly AcknowledgementMode[],
  ): void {
    const ids = new Map([...final].map(([name, audit]) => [name, new Set(audit.ids)]));
    for (const { node, request, result } of this.#attempts) {
      const { database, firstId, rows, mode } = request;
      if (this.#dropped.has(database) || result.kind === 'vanished') continue;
      const present = ids.get(database) ?? new Set();
      const found = Array.from({ length: rows }, (_, index) => present.has(firstId + index));
      const isThere = found.every(Boolean);
      const what = `${database} row ${firstId} of ${node}`;
      if (!isThere && found.includes(true)) this.violate(`${what} is there in part`);
      if (result.kind === 'refused') {
        if (isThere) this.violate(`${what} was refused and is there`);
        continue;
      }
      if (isThere) continue;
      const at = result.at?.position;
      if (result.kind === 'confirmed') {
        if (mode === 'none') this.#lostOfModeNone += 1;
        if (guarded.includes(mode)) {
          const { epoch, txid } = result.at.position;
          this.violate(`${what}, confirmed in mode ${mode} at ${epoch}.${txid}, is lost`);
        }
      }
      const isKept = cases.some(
        (each) =>
          each.database === database &&
          (at === undefined || (each.minTxid <= at.txid && at.txid <= each.maxTxid)),
      );
      if (!isKept) {
        const where = at === undefined ? '' : ` (${at.epoch}.${at.txid})`;
        this.violate(`${what}${where} is gone without a trace`);
      }
    }
  }
}

function holds({ starts, position }: DatabaseAudit, { epoch, txid }: Position): boolean {
  const writer = starts.findLast(({ firstTxid }) => firstTxid <= txid)?.epoch;
  return txid <= position.txid && writer === epoch;
}
