import { describe, expect, it } from 'vitest';
import { Journal } from '../src/journal.ts';
import { runChild } from './child-process.ts';
import { schemaOf } from './schema-of.ts';
import { TemporaryFolder } from './temporary-folder.ts';

/** The steps of a first start, and what it leaves. */
function undisturbed(): { readonly steps: readonly string[]; readonly schema: unknown } {
  using folder = new TemporaryFolder();
  const steps: string[] = [];
  Journal.open({ folder: folder.path, onMigrationStep: (step) => steps.push(step) }).close();
  return { steps, schema: schemaOf(folder.file('journal.db')) };
}

const { steps, schema } = undisturbed();

describe('J1: a first start that is killed', () => {
  it('has the steps that the cases below are about', () => {
    expect(steps.slice(0, 3)).toEqual(['opened', 'write-ahead log on', 'begun 1 accounts']);
    expect(steps.at(-1)).toBe('committed 3');
    expect(new Set(steps).size).toBe(steps.length);
  });

  it.each(steps)('at "%s" leaves a folder that opens with the whole schema', async (step) => {
    using folder = new TemporaryFolder();
    const killed = await runChild('die-in-migration.ts', [folder.path, step]);
    expect(killed.signal).toBe('SIGKILL');
    expect(killed.lines).toEqual(steps.slice(0, steps.indexOf(step)));
    {
      using journal = Journal.open({ folder: folder.path });
      const site = { domain: 'a.org', timezone: 'UTC', nowMs: 0 };
      expect(journal.sites.create(site).id).toBe(1);
    }
    expect(schemaOf(folder.file('journal.db'))).toEqual(schema);
  });
});
