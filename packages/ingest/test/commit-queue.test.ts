import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { systemClock } from '@tandem/base';
import type { Hit } from '@loggia/contract';
import { Journal } from '@loggia/journal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommitQueue } from '@loggia/ingest';

let folder: string;
let siteId: number;
const queues: CommitQueue[] = [];
const writers: Worker[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'loggia-queue-'));
  using journal = Journal.open({ folder });
  siteId = journal.sites.create({ domain: 'queue.example', timezone: 'UTC', nowMs: 0 }).id;
});
afterEach(async () => {
  await Promise.all(queues.splice(0).map((queue) => queue.close()));
  await Promise.all(writers.splice(0).map((writer) => writer.terminate()));
  rmSync(folder, { recursive: true, force: true });
});

/** `entries` are the writers' files, one after the other; the last one for good. */
function openQueue(hitsMax = 1000, entries = ['writer-thread.ts']): CommitQueue {
  const queue = new CommitQueue({
    clock: systemClock,
    hitsMax,
    startWriter: () => {
      const entry = entries[Math.min(writers.length, entries.length - 1)] ?? '';
      const writer = new Worker(new URL(entry, import.meta.url), {
        workerData: { folder },
      });
      writers.push(writer);
      return writer;
    },
  });
  queues.push(queue);
  return queue;
}

function hit(page: string, more: Partial<Hit> = {}): Hit {
  return {
    siteId,
    timeMs: Date.UTC(2026, 4, 4, 12),
    visitor: 7n,
    visitorBefore: null,
    name: 'pageview',
    hostname: 'queue.example',
    page,
    properties: null,
    revenueMilli: null,
    revenueCurrency: null,
    interactive: true,
    scrollDepth: null,
    engagedMs: null,
    attributes: {
      source: null,
      referrer: null,
      channel: 'Direct',
      utm_medium: null,
      utm_source: null,
      utm_campaign: null,
      utm_content: null,
      utm_term: null,
      click_id: null,
      country: null,
      region: null,
      region_name: null,
      city: null,
      city_name: null,
      browser: null,
      browser_version: null,
      os: null,
      os_version: null,
      device: null,
      screen: null,
      language: null,
    },
    dedupeId: null,
    ...more,
  };
}

/** The pages of all stored events, read by another connection. */
function storedPages(): string[] {
  using journal = Journal.open({ folder, readOnly: true });
  return journal.tail.readEvents(0, 100_000).map((row) => String(row[7]));
}

describe('CommitQueue', () => {
  it('I1: what it has resolved is committed', async () => {
    const queue = openQueue();
    await queue.submit([hit('/a'), hit('/b')]);
    expect(storedPages()).toEqual(['/a', '/b']);
  });

  it('answers every submission with its own outcomes, however they share commits', async () => {
    const queue = openQueue();
    const ping = hit('/x', { name: 'engagement', visitor: 99n, interactive: false });
    const outcomes = await Promise.all([
      queue.submit([hit('/a')]),
      queue.submit([ping, hit('/b')]),
      queue.submit([hit('/c'), ping, hit('/d', { dedupeId: 'd' })]),
      queue.submit([hit('/d', { dedupeId: 'd' })]),
    ]);
    expect(outcomes).toEqual([[null], ['no_visit', null], [null, 'no_visit', null], [null]]);
    expect(storedPages()).toEqual(['/a', '/b', '/c', '/d']);
  });

  it('I2: a submission whose writer died is refused, and the next writer takes what waits', async () => {
    const queue = openQueue(1000, ['dying-writer-thread.ts', 'writer-thread.ts']);
    await queue.ready;
    const inFlight = queue.submit([hit('/in-flight')]);
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = queue.submit([hit('/waiting')]);
    await expect(inFlight).rejects.toMatchObject({ code: 'storage_failed', retryable: true });
    expect(await waiting).toEqual([null]);
    expect(storedPages()).toEqual(['/waiting']);
  });

  it('says when its first writer cannot start, and stores what waits once one can', async () => {
    const database = join(folder, 'journal.db');
    renameSync(database, `${database}.away`);
    writeFileSync(database, 'no database, but long enough to be looked at'.repeat(50));
    const queue = openQueue();
    const waiting = queue.submit([hit('/a')]);
    await expect(queue.ready).rejects.toThrow('is damaged or not a database');
    renameSync(`${database}.away`, database);
    await waiting;
    expect(storedPages()).toEqual(['/a']);
  });

  it('I2: hits whose transaction fails over the counts beside them are not stored', async () => {
    using database = new DatabaseSync(join(folder, 'journal.db'));
    database.exec(`CREATE TRIGGER no_drops BEFORE INSERT ON drop_count
                   BEGIN SELECT RAISE(ABORT, 'no counts'); END`);
    const queue = openQueue();
    queue.countDrop({ siteId, date: '2026-05-04', reason: 'bot' });
    await expect(queue.submit([hit('/a')])).rejects.toMatchObject({ code: 'storage_failed' });
    expect(storedPages()).toEqual([]);
    database.exec('DROP TRIGGER no_drops');
    await queue.submit([hit('/b')]);
    expect(storedPages()).toEqual(['/b']);
  });

  it('I3: refuses whole what does not fit, and stores nothing of it', async () => {
    const queue = openQueue(3);
    const fits = queue.submit([hit('/1'), hit('/2')]);
    await expect(queue.submit([hit('/3'), hit('/4')])).rejects.toMatchObject({
      code: 'overloaded',
    });
    await fits;
    await queue.submit([hit('/5')]);
    expect(storedPages()).toEqual(['/1', '/2', '/5']);
  });

  it('commits what waits before it closes, and refuses what comes after', async () => {
    const queue = openQueue();
    const waiting = ['/1', '/2', '/3'].map((page) => queue.submit([hit(page)]));
    queue.countDrop({ siteId, date: '2026-05-04', reason: 'bot' });
    await queue.close();
    await Promise.all(waiting);
    expect(storedPages()).toEqual(['/1', '/2', '/3']);
    await expect(queue.submit([hit('/4')])).rejects.toMatchObject({ code: 'shutting_down' });
    using journal = Journal.open({ folder, readOnly: true });
    expect(journal.drops.list(siteId, '2026-05-04', '2026-05-04')).toEqual([
      { date: '2026-05-04', reason: 'bot', count: 1 },
    ]);
  });

  it('adds up the counts of dropped events and writes them at its upkeep', async () => {
    const queue = openQueue();
    for (let count = 0; count < 3; count += 1) {
      queue.countDrop({ siteId, date: '2026-05-04', reason: 'spam_referrer' });
    }
    queue.keepUp(Date.UTC(2026, 4, 4));
    await queue.submit([hit('/a')]);
    using journal = Journal.open({ folder, readOnly: true });
    expect(journal.drops.list(siteId, '2026-05-04', '2026-05-04')).toEqual([
      { date: '2026-05-04', reason: 'spam_referrer', count: 3 },
    ]);
  });
});
