import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ReplicationError } from '../src/replication-error.ts';
import type { ReplicatedDatabase } from '../src/replicated-database.ts';
import { follow, openApp, openNode, problemOf } from './engine-nodes.ts';

/**
 * Lets one of two nodes run out of room again and again, at ever other points, and sees that nothing
 * is wrong then and that it goes on when there is room. `small` is a file system of few megabytes.
 */
const [small = '', large = '', who = ''] = process.argv.slice(2);
const ballast = join(small, 'ballast');
const homes = who === 'primary' ? [large, large] : [large, small];
const [home, other] = homes.map((each, index) => join(each, `home-${index}`));
if (home === undefined || other === undefined) throw new RangeError('there are two homes');
for (const each of [home, other]) mkdirSync(each);
const app = openApp(home);
// The primary's state is what runs out of room; its database stays with the application.
const stateFolder = who === 'primary' ? join(small, 'state') : join(home, 'state');
const primary = openNode(home, { stateFolder });
const replica = openNode(other);
primary.becomePrimary(1);
await follow(primary, replica);

function leaveRoom(bytes: number): void {
  const descriptor = openSync(ballast, 'w');
  const piece = Buffer.alloc(4096);
  let written = 0;
  try {
    for (;;) written += writeSync(descriptor, piece);
  } catch {
    ftruncateSync(descriptor, Math.max(0, written - bytes));
  }
  closeSync(descriptor);
}

/** @returns whether it failed for want of room */
async function isFull(action: () => unknown): Promise<boolean> {
  try {
    await action();
    return false;
  } catch (error) {
    if (error instanceof ReplicationError && error.code === 'disk_full') return true;
    throw error;
  }
}

function mustBeSound(node: ReplicatedDatabase, what: string): void {
  const problem = problemOf(node);
  if (problem !== '') throw new Error(`${what}: ${problem}`);
}

const insert = app.prepare('INSERT INTO item (text, pad) VALUES (?, ?)');
let failures = 0;
for (let round = 0; round < 40; round += 1) {
  const digest = replica.digest();
  const { txid } = replica.position();
  leaveRoom((round % 20) * 4096);
  for (let row = 0; row < 4; row += 1) insert.run(`row-${round}-${row}`, randomBytes(row * 9000));
  if (round % 3 === 0) app.exec('DELETE FROM item WHERE id % 4 = 0');
  if (round % 5 === 0) app.exec('VACUUM');
  const hasFailed = await isFull(async () => {
    primary.capture();
    primary.checkpointIfDue();
    await follow(primary, replica);
  });
  if (hasFailed) failures += 1;
  if (hasFailed && who === 'replica') {
    mustBeSound(replica, `full at ${round}`);
    if (replica.position().txid === txid && replica.digest() !== digest) throw new Error('changed');
  }
  rmSync(ballast);
  primary.capture();
  primary.checkpointIfDue();
  const how = await follow(primary, replica);
  if (how !== 'followed' || replica.digest() !== primary.digest())
    throw new Error(`${round} ${how}`);
  mustBeSound(primary, `primary after ${round}`);
  mustBeSound(replica, `replica after ${round}`);
}
app.close();
primary.close();
replica.close();
process.stdout.write(`failures ${failures}\n`);
