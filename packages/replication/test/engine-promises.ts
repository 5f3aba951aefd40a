import { existsSync, readFileSync } from 'node:fs';
import { comparePositions } from '../src/epoch-history.ts';
import type { ReplicatedDatabase } from '../src/replicated-database.ts';
import {
  areFilesEqual,
  follow,
  openApp,
  openNode,
  pathIn,
  problemOf,
  textsIn,
} from './engine-nodes.ts';

/** What a scenario has said before it was killed. */
export interface Promises {
  /** Texts that were committed on a primary and must be there. */
  readonly texts: ReadonlySet<string>;
  /** The replica said that it holds everything up to here. */
  readonly hasTxid: number;
}

/** Reads the lines of a scenario, on top of what was promised before. */
export function readPromises(lines: readonly string[], before?: Promises): Promises {
  const texts = new Set(before?.texts);
  const unshared = new Set<string>();
  let hasTxid = 0;
  for (const line of lines) {
    const [word, value = ''] = line.split(' ');
    if (word === 'wrote') unshared.add(value);
    if (word === 'has') {
      for (const text of unshared) texts.add(text);
      unshared.clear();
      hasTxid = Number(value);
    }
    if (word === 'forgets') {
      unshared.clear();
      hasTxid = 0;
    }
  }
  for (const text of unshared) texts.add(text);
  return { texts, hasTxid };
}

/**
 * Opens what a killed process has left, checks every promise, and brings both nodes together.
 *
 * @returns the homes, that of the primary first, and what was wrong
 */
export async function recover(
  homes: readonly [string, string],
  { texts, hasTxid }: Promises,
): Promise<{ readonly homes: readonly [string, string]; readonly problems: string[] }> {
  const problems: string[] = [];
  const check = (isRight: boolean, problem: string): void => {
    if (!isRight) problems.push(problem);
  };
  for (const home of homes) finishMaking(home);
  const nodes = homes.map((home) => openNode(home));
  const [a, b] = nodes;
  if (a === undefined || b === undefined) throw new RangeError('there are two nodes');
  for (const [index, node] of nodes.entries()) {
    const problem = problemOf(node);
    check(problem === '', `node ${index}: ${problem}`);
  }
  const heldTxid = Math.max(a.position().txid, b.position().txid);
  check(heldTxid >= hasTxid, `transaction ${hasTxid} is gone, ${heldTxid} is the last`);
  const isAhead = comparePositions(a.position(), b.position()) >= 0;
  const [primary, replica] = isAhead ? [a, b] : [b, a];
  const ordered = isAhead ? homes : ([homes[1], homes[0]] as const);
  if (primary.isPresent) await bringTogether(primary, replica, check);
  for (const node of nodes) node.close();
  if (primary.isPresent || texts.size > 0) {
    check(areFilesEqual(...homes), 'the files differ');
    const found = new Set(textsIn(ordered[0]));
    const lost = [...texts].filter((text) => !found.has(text));
    check(lost.length === 0, `lost: ${lost.join(' ')}`);
  }
  return { homes: ordered, problems };
}

/** An application that was killed while it made its database goes on with that when it starts again. */
function finishMaking(home: string): void {
  const path = pathIn(home);
  // The version of the file format, 2 for WAL.
  if (existsSync(path) && readFileSync(path)[18] !== 2) openApp(home).close();
}

async function bringTogether(
  primary: ReplicatedDatabase,
  replica: ReplicatedDatabase,
  check: (isRight: boolean, problem: string) => void,
): Promise<void> {
  const highest = Math.max(primary.history().highestEpoch, replica.history().highestEpoch);
  primary.becomePrimary(highest + 1);
  await follow(primary, replica);
  check(primary.digest() === replica.digest(), 'the digests differ');
  const problem = problemOf(replica);
  check(problem === '', `the replica, brought up: ${problem}`);
  check(primary.verify() === 0, 'the primary does not verify');
}
