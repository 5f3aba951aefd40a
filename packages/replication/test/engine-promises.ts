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
  /** What the replica said that it holds, and where that is; undefined when it said nothing. */
  readonly held: { readonly txid: number; readonly home: string } | undefined;
}

/** Reads the lines of a scenario, on top of what was promised before. */
export function readPromises(lines: readonly string[], before?: Promises): Promises {
  const texts = new Set(before?.texts);
  const unshared = new Set<string>();
  let held: Promises['held'];
  for (const line of lines) {
    const [word, value = '', home = ''] = line.split(' ');
    if (word === 'wrote') unshared.add(value);
    if (word === 'has') {
      for (const text of unshared) texts.add(text);
      unshared.clear();
      held = { txid: Number(value), home };
    }
    if (word === 'forgets') {
      unshared.clear();
      held = undefined;
    }
  }
  for (const text of unshared) texts.add(text);
  return { texts, held };
}

/**
 * Opens what a killed process has left, checks every promise, and brings both nodes together. Where
 * the application has not gone on without the nodes, they know every page that they find.
 *
 * @returns the homes, that of the primary first, and what was wrong
 */
export async function recover(
  homes: readonly [string, string],
  { texts, held }: Promises,
  hasGoneOn = false,
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
    const { gapPages = 0, foreignPages = [] } = node.settlement ?? {};
    const isKnown = gapPages + foreignPages.length === 0;
    check(isKnown || hasGoneOn, `node ${index} found pages that it did not know`);
  }
  for (const [index, node] of nodes.entries()) {
    const { txid } = node.position();
    const isHeld = held === undefined || held.home !== homes[index] || txid >= held.txid;
    check(isHeld, `node ${index} is at ${txid} and said that it had ${held?.txid}`);
  }
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
