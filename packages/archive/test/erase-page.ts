import { writeSync } from 'node:fs';
import { Journal } from '@loggia/journal';
import { Eraser } from '../src/index.ts';
import { openBuilder } from './open-builder.ts';

const [folder = '', site = '0'] = process.argv.slice(2);

/** Erases the visits of a site that saw /next, and prints a line at each step. */
using journal = Journal.open({ folder });
const builder = await openBuilder(journal, folder);
const onStep = (step: string) => void writeSync(1, `${step}\n`);
const chosen = {
  sql: `SELECT id FROM visit WHERE site_id = CAST(? AS BIGINT)
    AND id IN (SELECT visit_id FROM event WHERE page = '/next')`,
  parameters: [Number(site)],
};
await new Eraser({ journal, builder, onStep }).erase({
  siteId: Number(site),
  chosen,
  sums: 'subtract',
});
builder.close();
