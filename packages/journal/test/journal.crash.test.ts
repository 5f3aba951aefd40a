import { describe, expect, it } from 'vitest';
import { Journal } from '../src/journal.ts';
import { runChild } from './child-process.ts';
import { sampleEvent, sampleVisit } from './sample-rows.ts';
import { TemporaryFolder } from './temporary-folder.ts';

describe('a writer that is killed', () => {
  it('J2, J4: leaves every transaction that had returned, whole ones only, ids without a gap', async () => {
    using folder = new TemporaryFolder();
    let reportedBefore = 0;
    for (const killAfterLines of [1, 2, 5, 13, 40]) {
      const killed = await runChild('write-for-ever.ts', [folder.path], killAfterLines);
      expect(killed.signal).toBe('SIGKILL');
      const reported = Number(killed.lines.at(-1));
      expect(reported).toBeGreaterThan(reportedBefore);
      reportedBefore = reported;
      using journal = Journal.open({ folder: folder.path });
      const ids = journal.tail.readEvents(0, 1_000_000).map((row) => row[0]);
      expect(ids).toEqual(Array.from({ length: ids.length }, (_, index) => index + 1));
      expect(ids.length).toBeGreaterThanOrEqual(reported);
      expect(ids.length % 5).toBe(0);
      expect(journal.tail.readVisits(0, 1_000_000)).toHaveLength(ids.length / 5);
      expect(journal.tail.head()).toMatchObject({
        eventId: ids.length,
        visitChange: ids.length / 5,
      });
    }
  });
});

describe('a purge that is killed', () => {
  it('J6: is finished by the next one', async () => {
    using folder = new TemporaryFolder();
    {
      using journal = Journal.open({ folder: folder.path });
      for (const domain of ['kept.org', 'removed.org']) {
        const { id: site_id } = journal.sites.create({ domain, timezone: 'UTC', nowMs: 0 });
        journal.transaction(() => {
          for (let visitor = 1n; visitor <= 50n; visitor += 1n) {
            const visit_id = journal.tail.insertVisit(sampleVisit({ site_id, visitor }));
            journal.tail.insertEvent(sampleEvent({ site_id, visit_id, visitor }));
          }
        });
      }
      journal.sites.remove(2, 1);
    }
    const killed = await runChild('purge-all.ts', [folder.path], 3);
    expect(killed.lines.slice(0, 3)).toEqual(['7', '7', '7']);
    const finished = await runChild('purge-all.ts', [folder.path]);
    expect(finished.code).toBe(0);
    using journal = Journal.open({ folder: folder.path });
    expect(journal.sites.purgeStep(1)).toBe(0);
    expect(new Set(journal.tail.readEvents(0, 1000).map((row) => row[1]))).toEqual(new Set([1]));
    expect(journal.tail.readVisits(0, 1000)).toHaveLength(50);
    expect(journal.tail.head().epoch).toBe(1);
  });
});
