import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { Journal } from '../src/journal.ts';
import { restoreBackup, writeBackup } from '../src/index.ts';
import { runChild } from './child-process.ts';
import { TemporaryFolder } from './temporary-folder.ts';

const origin = new TemporaryFolder();
const source = origin.file('backup.db');
addSite(origin, 'backup.org');
writeBackup({ folder: origin.path, target: source });
afterAll(() => origin[Symbol.dispose]());

function addSite(folder: TemporaryFolder, domain: string): void {
  using journal = Journal.open({ folder: folder.path });
  journal.sites.create({ domain, timezone: 'UTC', nowMs: 0 });
}

function domainsOf(folder: string): readonly string[] {
  using journal = Journal.open({ folder });
  return journal.sites.list().map((site) => site.domain);
}

/** What the folder held before: a killed server's journal, or one that is past reading. */
const STATES = {
  killed: (folder: TemporaryFolder) => {
    using server = new TemporaryFolder();
    using journal = Journal.open({ folder: server.path });
    journal.sites.create({ domain: 'in-the-log.org', timezone: 'UTC', nowMs: 0 });
    for (const name of ['journal.db', 'journal.db-wal', 'journal.db-shm']) {
      cpSync(server.file(name), folder.file(name));
    }
  },
  damaged: (folder: TemporaryFolder) => {
    writeFileSync(folder.file('journal.db'), 'what was a journal'.repeat(500));
    writeFileSync(folder.file('journal.db-wal'), 'its log');
    writeFileSync(folder.file('journal.db-shm'), 'its index');
  },
} as const;

const CASES = Object.entries(STATES).flatMap(([state, fill]) => {
  using folder = new TemporaryFolder();
  fill(folder);
  const steps: string[] = [];
  restoreBackup({ source, folder: folder.path, isReplacing: true, onStep: (s) => steps.push(s) });
  return steps.map((step) => ({ state, fill, step, steps }));
});

/** Whether all that the folder held in that state is there, wherever it is now. */
function keepsOldData(folder: TemporaryFolder, state: string): boolean {
  const aside = folder.file('quarantine/journal.db.1');
  if (state === 'damaged') {
    const texts = ['', '-wal', '-shm'].map((end) => readFileSync(aside + end, 'utf8'));
    return texts.join().endsWith('what was a journal,its log,its index');
  }
  using old = new TemporaryFolder();
  for (const end of ['', '-wal']) cpSync(aside + end, old.file(`journal.db${end}`));
  return domainsOf(old.path).includes('in-the-log.org');
}

describe('V4: a restore that is killed', () => {
  it('has the steps that the cases below are about', () => {
    expect(CASES.map(({ state, step }) => `${state} ${step}`)).toEqual([
      'killed backup read',
      'killed backup copied',
      'killed copy read',
      'killed plan written',
      'killed set aside journal.db',
      'killed set aside journal.db-wal',
      'killed set aside journal.db-shm',
      'killed put in place',
      'killed done',
      'damaged backup read',
      'damaged backup copied',
      'damaged copy read',
      'damaged plan written',
      'damaged set aside journal.db',
      'damaged set aside journal.db-wal',
      'damaged set aside journal.db-shm',
      'damaged put in place',
      'damaged done',
    ]);
  });

  it.each(CASES)(
    'over a $state journal at "$step" can be run again, and nothing is lost',
    async ({ state, fill, step, steps }) => {
      using folder = new TemporaryFolder();
      fill(folder);
      const killed = await runChild('die-in-restore.ts', [source, folder.path, step]);
      expect(killed.signal).toBe('SIGKILL');
      expect(killed.lines).toEqual(steps.slice(0, steps.indexOf(step)));
      if (existsSync(folder.file('restore.json'))) {
        expect(() => Journal.open({ folder: folder.path })).toThrow(/restore/i);
      }
      const again = await runChild('die-in-restore.ts', [source, folder.path]);
      expect(again.code).toBe(0);
      expect(domainsOf(folder.path)).toEqual(['backup.org']);
      expect(keepsOldData(folder, state)).toBe(true);
      const left = readdirSync(folder.path).filter(
        (name) => !/^journal\.db(-wal|-shm)?$/.test(name),
      );
      expect(left).toEqual(['quarantine']);
    },
  );

  it.each(CASES.filter(({ state }) => state === 'killed'))(
    'twice, each time at "$step", can be run a third time',
    async ({ state, fill, step }) => {
      using folder = new TemporaryFolder();
      fill(folder);
      for (let round = 0; round < 2; round += 1) {
        await runChild('die-in-restore.ts', [source, folder.path, step]);
      }
      expect((await runChild('die-in-restore.ts', [source, folder.path])).code).toBe(0);
      expect(domainsOf(folder.path)).toEqual(['backup.org']);
      expect(keepsOldData(folder, state)).toBe(true);
    },
  );
});
