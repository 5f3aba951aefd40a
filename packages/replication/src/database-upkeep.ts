import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatLibraryVersion, hasWalResetBug } from '@tandem/sqlite-format';
import type { Complaints } from './complaints.ts';
import { checkDatabaseFile } from './database-import.ts';
import type { DatabaseRoles } from './database-roles.ts';
import type { DatabaseSet } from './database-set.ts';
import type { LogConsumer } from './log-consumer.ts';
import type { ReplicationNodeOptions } from './node-options.ts';
import type { ReplicatedDatabase } from './replicated-database.ts';
import { ReplicationError } from './replication-error.ts';
import type { StreamClock } from './stream-source.ts';
import { HARD_FACTOR, sweepLog, type LostToBackup } from './retention-sweep.ts';

export interface DatabaseUpkeepOptions {
  readonly node: Pick<
    ReplicationNodeOptions,
    'folder' | 'retention' | 'clock' | 'log' | 'busyTimeoutMs'
  >;
  readonly timer: StreamClock;
  readonly databases: DatabaseSet;
  readonly roles: DatabaseRoles;
  readonly complaints: Complaints;
  readonly onDropped: (name: string) => void;
  /** The lowest transaction of a database that a connected replica still needs. */
  readonly neededFrom: (name: string) => number | undefined;
  readonly consumer: () => LogConsumer | undefined;
}

/** A program that writes without pause lets go of its lock in less. */
const LOCK_MS = 25;
const LOCK_AGAIN_MS = 50;

/** Follows the databases that come and go in a node's folder, and keeps their logs short. */
export class DatabaseUpkeep {
  readonly #options: DatabaseUpkeepOptions;
  /** Names of databases that a program keeps locked since before they could be opened. */
  readonly #locked = new Set<string>();
  #lostToBackup = 0;
  /** For each database the version of SQLite about which has been said what there is to say. */
  readonly #judged = new Map<string, number>();

  constructor(options: DatabaseUpkeepOptions) {
    this.#options = options;
  }

  /** How many transactions went from the logs before they were backed up. */
  get lostToBackup(): number {
    return this.#lostToBackup;
  }

  /** The name of a database that is there and cannot be replicated yet. */
  get lockedName(): string | undefined {
    return this.#locked.values().next().value;
  }

  /** Looks for databases that were made or dropped, and lets programs write those that may be. */
  look(): void {
    const { node, databases, roles, complaints, onDropped } = this.#options;
    try {
      const { opened, dropped, refused } = databases.look();
      for (const database of opened) this.#tellOfAbsence(database);
      for (const database of dropped) {
        node.log('warn', 'a database was dropped', { name: database.name });
        roles.gone(database);
        this.#judged.delete(database.name);
        onDropped(database.name);
      }
      for (const { name, error } of refused) {
        complaints.about(`cannot replicate ${name}`, error);
        if (isLocked(error)) this.#locked.add(name);
      }
    } catch (error) {
      complaints.about('cannot look for databases', error);
    }
    for (const name of this.#locked) {
      const isGone = !existsSync(join(node.folder, name));
      if (isGone || databases.get(name) !== undefined) this.#locked.delete(name);
    }
    for (const database of databases) {
      this.#flush(database);
      this.#leadIfNew(database);
      this.#judgeLibrary(database);
    }
  }

  /**
   * Puts a file in the place of the database of that name, or adds it. While a program writes, it is
   * tried again without holding up this thread; `mustGoOn` is asked before each try and may throw.
   *
   * Rejects with ReplicationError `not_a_database`, and with `database_locked` after the time-out.
   */
  async take(name: string, path: string, mustGoOn: () => void): Promise<ReplicatedDatabase> {
    const { databases, node, timer } = this.#options;
    mustGoOn();
    checkDatabaseFile(path);
    const endMs = timer.monotonicMs() + node.busyTimeoutMs;
    while (!this.#isPut(name, path, timer.monotonicMs() >= endMs)) {
      await new Promise<void>((resolve) => void timer.after(LOCK_AGAIN_MS, resolve));
      mustGoOn();
    }
    this.look();
    const database = databases.get(name);
    if (database !== undefined) return database;
    throw new ReplicationError('not_a_database', `${name} is not one.`);
  }

  /** Removes from the logs what is too old or too much. */
  sweep(): void {
    const { node, databases, complaints, neededFrom, consumer } = this.#options;
    const nowMs = node.clock.nowMs();
    for (const database of databases) {
      try {
        const lost = sweepLog(database, {
          ...node.retention,
          nowMs,
          replicaFromTxid: neededFrom(database.name),
          backupFromTxid: consumer()?.neededFrom(database),
        });
        if (lost !== undefined) this.#sayLost(database.name, lost);
      } catch (error) {
        complaints.about(`cannot shorten the log of ${database.name}`, error);
      }
    }
  }

  /** Puts a file in its place; false when a program writes there, unless this `isLast` try. */
  #isPut(name: string, path: string, isLast: boolean): boolean {
    const { databases } = this.#options;
    const existing = databases.get(name);
    try {
      if (existing?.isPresent === true) existing.importFile(path, LOCK_MS);
      else databases.place(name, path);
      return true;
    } catch (error) {
      if (!isLast && isLocked(error)) return false;
      throw error;
    }
  }

  #sayLost(name: string, { minTxid, maxTxid }: LostToBackup): void {
    const { log, retention } = this.#options.node;
    this.#lostToBackup += maxTxid - minTxid + 1;
    log('warn', 'transactions were removed before they were backed up', {
      name,
      minTxid,
      maxTxid,
      bytesMax: HARD_FACTOR * retention.bytesMax,
      hint: 'See why the backup is behind. It goes on with a snapshot; no moment in between can be restored.',
    });
  }

  /** What nobody waits for is durable within a second all the same. */
  #flush(database: ReplicatedDatabase): void {
    try {
      database.flush();
    } catch (error) {
      this.#options.complaints.about(`cannot sync the log of ${database.name}`, error);
    }
  }

  /** Says what was found of what happened while this node was not there. */
  #tellOfAbsence({ name, settlement }: ReplicatedDatabase): void {
    const pages = settlement?.gapPages ?? 0;
    if (pages > 0) this.#options.node.log('warn', 'a database had changed unseen', { name, pages });
  }

  /** Says once of each database that an application's SQLite can corrupt it. */
  #judgeLibrary({ name, libraryVersion }: ReplicatedDatabase): void {
    if (this.#judged.get(name) === libraryVersion) return;
    this.#judged.set(name, libraryVersion);
    if (!hasWalResetBug(libraryVersion)) return;
    const version = formatLibraryVersion(libraryVersion);
    this.#options.node.log('warn', 'a database is written with an outdated SQLite', {
      name,
      version,
      message: `SQLite ${version} can corrupt a database in WAL mode that two connections use.`,
      hint: 'Give the application SQLite 3.51.3 or newer: https://sqlite.org/wal.html#walresetbug',
    });
  }

  /** Also one that could not be led before. */
  #leadIfNew(database: ReplicatedDatabase): void {
    if (database.role === 'primary') return;
    try {
      this.#options.roles.found(database);
    } catch (error) {
      this.#options.complaints.about(`cannot let programs write ${database.name}`, error);
    }
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof ReplicationError && error.code === 'database_locked';
}
