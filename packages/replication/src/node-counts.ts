import { QUARANTINE_KINDS, type QuarantineKind } from './quarantine.ts';

/** What has happened to a node since it was made. */
export interface NodeCounts {
  /** Times that it became primary or stopped being primary. */
  readonly roleChanges: number;
  /** Hand-offs that it completed as primary. */
  readonly handOffs: number;
  /** Hand-offs that it began as primary and went back on. */
  readonly handOffsFailed: number;
  /** Streams on which a primary took it on. */
  readonly streamsOpened: number;
  /** Transactions of a primary that it applied. */
  readonly transactionsApplied: number;
  /** Databases brought in step by sending the pages that differ, or all. */
  readonly repairs: number;
  /** Cases set aside. */
  readonly quarantines: number;
  readonly quarantinesByKind: Readonly<Record<QuarantineKind, number>>;
  /** Of those, writes of other programs on a replica. */
  readonly foreignWrites: number;
  /** Databases found that could not be replicated, each time that this began. */
  readonly databasesRefused: number;
  /** Files of a log that went before the backup had them, since there was no room for more. */
  readonly logFilesLostToBackup: number;
}

/** What is counted by itself; the other numbers are sums. */
export type NodeCount = Exclude<
  keyof NodeCounts,
  'quarantines' | 'quarantinesByKind' | 'foreignWrites'
>;

/** Counts what happens to a node. */
export class NodeCounters {
  readonly #counts: Record<NodeCount, number> = {
    roleChanges: 0,
    handOffs: 0,
    handOffsFailed: 0,
    streamsOpened: 0,
    transactionsApplied: 0,
    repairs: 0,
    databasesRefused: 0,
    logFilesLostToBackup: 0,
  };
  readonly #quarantines = new Map<QuarantineKind, number>();
  /** The last transaction of each database that is counted. */
  readonly #applied = new Map<string, number>();

  get counts(): NodeCounts {
    const byKind = QUARANTINE_KINDS.map(
      (kind) => [kind, this.#quarantines.get(kind) ?? 0] as const,
    );
    return {
      ...this.#counts,
      quarantines: byKind.reduce((sum, [, count]) => sum + count, 0),
      quarantinesByKind: Object.fromEntries(byKind) as Record<QuarantineKind, number>,
      foreignWrites: this.#quarantines.get('foreign_write') ?? 0,
    };
  }

  add(what: NodeCount, count = 1): void {
    this.#counts[what] += count;
  }

  setAside(kind: QuarantineKind): void {
    this.#quarantines.set(kind, (this.#quarantines.get(kind) ?? 0) + 1);
  }

  /** A database stands at `txid`, not by applying what came before. */
  standsAt(name: string, txid: number): void {
    this.#applied.set(name, txid);
  }

  /** A database has been repaired; how many transactions that were is not known. */
  repaired(name: string): void {
    this.#counts.repairs += 1;
    this.#applied.delete(name);
  }

  /** A replica's database is at `txid` now, by applying. */
  applied(name: string, txid: number): void {
    const before = this.#applied.get(name) ?? txid;
    if (txid > before) this.#counts.transactionsApplied += txid - before;
    this.#applied.set(name, txid);
  }
}
