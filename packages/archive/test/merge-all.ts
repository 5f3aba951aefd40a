import { writeSync } from 'node:fs';
import { Journal } from '@loggia/journal';
import { Merger } from '../src/index.ts';
import { openBuilder } from './open-builder.ts';

const [folder = '', nowMs = '0'] = process.argv.slice(2);

/** Merges all that is due, and prints a line at each step. */
using journal = Journal.open({ folder });
const builder = await openBuilder(journal, folder);
const onStep = (step: string) => void writeSync(1, `${step}\n`);
const merger = new Merger({ journal, builder, onStep });
while ((await merger.mergeNext(Number(nowMs))) !== undefined);
builder.close();
