import { describe, expect, it } from 'vitest';
import { Journal } from '../src/journal.ts';
import { runTogether } from './child-process.ts';
import { schemaOf } from './schema-of.ts';
import { TemporaryFolder } from './temporary-folder.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];

describe('several processes that open a new folder at the same time', () => {
  it('J1, S1: all succeed, on one schema and with one salt', async () => {
    using folder = new TemporaryFolder();
    using reference = new TemporaryFolder();
    Journal.open({ folder: reference.path }).close();
    const ended = await runTogether(
      'open-first.ts',
      NAMES.map((name) => [folder.path, name]),
    );
    expect(ended.map(({ code }) => code)).toEqual(NAMES.map(() => 0));
    const salts = new Set(ended.flatMap(({ lines }) => lines));
    expect([...salts]).toEqual([expect.stringMatching(/^[\da-f]{64}$/)]);
    expect(schemaOf(folder.file('journal.db'))).toEqual(schemaOf(reference.file('journal.db')));
    using journal = Journal.open({ folder: folder.path });
    expect(journal.sites.list().map((site) => site.domain)).toEqual(
      NAMES.map((name) => `${name}.org`),
    );
  });
});
