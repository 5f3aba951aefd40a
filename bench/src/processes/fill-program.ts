/** An application that stores large random values, which nothing makes smaller. */
import { randomFillSync } from 'node:crypto';
import { openItems } from './item-table.ts';
import { readPlan } from './program.ts';

export interface FillPlan {
  readonly path: string;
  readonly bytes: number;
  readonly transactionBytes: number;
}

const VALUE_BYTES = 16 * 1024;
const INSERT_VALUE = 'INSERT INTO item (at, text) VALUES (?, ?)';

const { path, bytes, transactionBytes } = readPlan() as FillPlan;
using database = openItems(path);
const insert = database.prepare(INSERT_VALUE);
const value = new Uint8Array(VALUE_BYTES);
for (let written = 0; written < bytes;) {
  database.exec('BEGIN');
  for (const end = written + transactionBytes; written < end; written += VALUE_BYTES) {
    insert.run(written, randomFillSync(value));
  }
  database.exec('COMMIT');
}
process.stdout.write('{}');
