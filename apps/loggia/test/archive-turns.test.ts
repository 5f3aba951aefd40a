import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TailWriter, VISIT_GAP_MS } from '@loggia/ingest';
import { Journal } from '@loggia/journal';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { ArchiveTurns } from '../src/server/archive-turns.ts';
import { startArchiveThread } from '../src/threads/threads.ts';
import { eventTable } from './model/events.ts';

const DATE = '2026-03-02';

test('a turn in its thread seals what is finished, and none begins without need or once closed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'loggia-turns-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  using journal = Journal.open({ folder });
  const { id } = journal.sites.create({ domain: 'example.org', timezone: 'UTC', nowMs: 0 });
  const table = eventTable(id, 'UTC', DATE);
  const writer = new TailWriter(journal);
  writer.write([table.view('anna', `${DATE} 10:00:00`, '/')], 0);
  writer.write([table.view('bert', `${DATE} 23:00:00`, '/')], 0);
  const nowMs = Date.parse(`${DATE}T23:00:00Z`) + 3 * 3_600_000 + VISIT_GAP_MS;
  let started = 0;
  const turns = new ArchiveTurns({
    folder,
    journal,
    clock: { nowMs: () => nowMs },
    logger: pino({ level: 'silent' }),
    startThread: (data) => {
      started += 1;
      return startArchiveThread(data);
    },
  });
  turns.begin();
  turns.begin();
  await turns.ended();
  expect(journal.archive.sets()).toMatchObject([{ visits: 2, events: 2 }]);
  expect(journal.tail.readVisits(0, 10)).toEqual([]);
  turns.begin();
  await turns.close();
  turns.begin();
  expect(started).toBe(1);
});
