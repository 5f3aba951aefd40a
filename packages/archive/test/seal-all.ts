import { writeSync } from 'node:fs';
import { Journal } from '@loggia/journal';
import { Sealer } from '../src/index.ts';
import { openBuilder } from './open-builder.ts';

const [folder = '', nowMs = '0'] = process.argv.slice(2);

/** Seals everything in parts of three visits, and prints a line at each step. */
using journal = Journal.open({ folder });
const builder = await openBuilder(journal, folder);
const onStep = (step: string) => void writeSync(1, `${step}\n`);
const sealer = new Sealer({ journal, builder, visitsMax: 3, onStep });
while ((await sealer.sealNext(Number(nowMs))) !== undefined);
builder.close();
