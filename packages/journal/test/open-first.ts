import { readFileSync, writeSync } from 'node:fs';
import { Journal } from '../src/journal.ts';
import { Salts } from '../src/salts.ts';

const [folder = '', name = ''] = process.argv.slice(2);

/** When its input ends, opens both databases, adds a site, and prints the one salt that all such processes share. */
writeSync(1, 'ready\n');
readFileSync(0);
using journal = Journal.open({ folder });
journal.sites.create({ domain: `${name}.org`, timezone: 'UTC', nowMs: 0 });
using salts = Salts.open({ folder });
const salt = salts.ensure(1, '2026-01-01', 1);
writeSync(1, `${Buffer.from(salt).toString('hex')}\n`);
