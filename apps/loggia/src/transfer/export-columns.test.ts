import { readFileSync } from 'node:fs';
import { EVENT_COLUMNS, VISIT_COLUMNS } from '@loggia/contract';
import { expect, it } from 'vitest';
import { EXPORT_COLUMNS } from './export-columns.ts';

const DOCUMENT = new URL('../../../../docs/reference/export.md', import.meta.url);

it('the columns are those of docs/reference/export.md', () => {
  const rows = readFileSync(DOCUMENT, 'utf8')
    .split('\n')
    .filter((line) => /^\| `[a-z_]+` \| (?:site|event|visit) \|/.test(line));
  expect(rows).toEqual(
    EXPORT_COLUMNS.map(
      ({ name, of, kind, meaning }) => `| \`${name}\` | ${of} | ${kind} | ${meaning} |`,
    ),
  );
});

it('every column of the tables is in an export', () => {
  const exported = (owner: string) =>
    EXPORT_COLUMNS.filter(({ of }) => of === owner).map(({ from }): string => from);
  // Those of an event that its visit and its site have as well.
  const shared = ['site_id', 'visit_id', 'visitor'];
  const events = EVENT_COLUMNS.map(({ name }): string => name);
  const visits = VISIT_COLUMNS.map(({ name }): string => name);
  expect([...shared, ...exported('event')].sort()).toEqual(events.sort());
  expect(['site_id', ...exported('visit')].sort()).toEqual(visits.sort());
});
