import { writeSync } from 'node:fs';
import { Journal } from '../src/journal.ts';

const [folder = ''] = process.argv.slice(2);

/** Purges removed sites seven rows at a time, and prints the number of each step. */
using journal = Journal.open({ folder });
for (let rows = -1; rows !== 0;) {
  rows = journal.sites.purgeStep(7);
  writeSync(1, `${rows}\n`);
}
