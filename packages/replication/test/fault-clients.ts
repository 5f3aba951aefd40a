import { setTimeout as sleep } from 'node:timers/promises';
import type { AcknowledgementMode, Position } from '../src/index.ts';
import type { WriteRequest } from './fault-app.ts';
import type { Ledger } from './fault-ledger.ts';
import type { SeededRandom } from './fault-random.ts';
import { NAMES, type Name, type World } from './fault-world.ts';

export const DATABASES = ['app.db', 'second.db'] as const;

export interface ClientOptions {
  readonly world: World;
  readonly random: SeededRandom;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
  /** From 0; ids of rows are built of it. */
  readonly number: number;
}

const MODES: readonly AcknowledgementMode[] = ['none', 'one', 'one', 'majority', 'majority'];
const ROWS_MAX = 5;
const IDS_PER_CLIENT = 1_000_000;
const NOWHERE: Position = { epoch: 0, txid: 0 };

/** Writes numbered rows through whichever node takes them; no number is used twice. */
export async function writeRows(options: ClientOptions): Promise<void> {
  const { world, random, ledger, signal, number } = options;
  let nextId = number * IDS_PER_CLIENT + 1;
  let favourite: Name = random.pick(NAMES);
  while (!signal.aborted) {
    const request: WriteRequest = {
      database: random.isWithin(0.1)
        ? `tenants/${random.between(1, 12)}.db`
        : random.pick(DATABASES),
      firstId: nextId,
      rows: random.between(1, ROWS_MAX),
      payloadBytes: random.isWithin(0.05) ? 30_000 : random.between(10, 300),
      mode: random.pick(MODES),
      holdMs: random.isWithin(0.01) ? random.between(200, 2500) : 0,
    };
    nextId += request.rows;
    const result = await world.node(favourite).write(request);
    ledger.wrote(favourite, request, result);
    if (result.kind !== 'confirmed') favourite = random.pick(NAMES);
    await sleep(random.between(2, 20));
  }
}

/** Reads anywhere, and sees to it that what was seen once stays seen. */
export async function readStates(options: ClientOptions): Promise<void> {
  const { world, random, ledger, signal } = options;
  const seen = new Map<string, { readonly position: Position; readonly count: number }>();
  while (!signal.aborted) {
    const name = random.pick(NAMES);
    const database = random.pick(DATABASES);
    const before = seen.get(database) ?? { position: NOWHERE, count: 0 };
    const read = await world.node(name).read({ database, wanted: before.position });
    if (read !== undefined) {
      const { at, verdict, count } = read;
      ledger.saw(name, database, at);
      if (verdict === 'lost') ledger.forgave(database, before.position);
      if (verdict === 'reached' && count < before.count) {
        const { epoch, txid } = before.position;
        ledger.violate(
          `${name} said it had reached ${epoch}.${txid} of ${database}, and showed ${count} rows ` +
            `where there had been ${before.count}`,
        );
      }
      if (verdict !== 'awaited') seen.set(database, { position: at.position, count });
    }
    await sleep(random.between(5, 40));
  }
}
