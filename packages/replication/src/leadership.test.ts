import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparePositions } from './epoch-history.ts';
import {
  judgeElection,
  type Candidacy,
  type ElectionFacts,
  type ElectionVerdict,
} from './leadership.ts';
import type { PeerReport } from './peer-client.ts';

const member = (name: string) => ({ id: `${name}-1`, name, advertiseUrl: `http://${name}:1` });
const ALL = ['a', 'b', 'c'].map(member);

const own = (given: Partial<Candidacy> = {}): Candidacy => ({
  name: 'a',
  clusterId: 'X',
  hasJoined: true,
  hasData: true,
  highestEpoch: 3,
  standings: { 'app.db': { epoch: 3, txid: 10 } },
  ...given,
});

const report = (name: string, given: Partial<PeerReport> = {}): PeerReport => ({
  name,
  clusterId: 'X',
  highestEpoch: 3,
  positions: { 'app.db': { epoch: 3, txid: 10 } },
  ...given,
});

const at = (epoch: number, txid: number, name = 'app.db') => ({ [name]: { epoch, txid } });

const judge = (given: Partial<ElectionFacts> = {}): ElectionVerdict =>
  judgeElection({
    own: own(),
    view: { clusterId: 'X', members: ALL },
    reports: [report('b'), report('c')],
    heardMin: 1,
    ...given,
  });

describe('a node that may take the lease', () => {
  test('leads when nobody has more', () => {
    expect(judge()).toEqual({ kind: 'lead' });
    expect(judge({ reports: [report('b', { positions: at(3, 9) })] })).toEqual({ kind: 'lead' });
    expect(judge({ reports: [report('b', { positions: at(2, 99) })] })).toEqual({ kind: 'lead' });
  });

  test('leads alone when the others cannot be reached', () => {
    expect(judge({ reports: [] })).toEqual({ kind: 'lead' });
  });

  test('first fetches what another has and it lacks', () => {
    const ahead = report('c', { positions: { ...at(3, 11), ...at(3, 1, 'new.db') } });
    expect(judge({ reports: [report('b'), ahead] })).toEqual({
      kind: 'catch-up',
      from: member('c'),
      databases: ['app.db', 'new.db'],
      reason: 'c is ahead in app.db, new.db',
    });
  });

  test('fetches only what it lacks from a node that lacks something else', () => {
    const mixed = report('b', { positions: { ...at(3, 9), ...at(3, 4, 'other.db') } });
    const standings = { ...own().standings, ...at(3, 3, 'other.db') };
    expect(judge({ own: own({ standings }), reports: [mixed] })).toMatchObject({
      kind: 'catch-up',
      databases: ['other.db'],
    });
  });

  test('counts a higher epoch as more, whatever the numbers of transactions', () => {
    const later = report('b', { highestEpoch: 4, positions: at(4, 5) });
    expect(judge({ reports: [later] })).toMatchObject({ kind: 'catch-up', from: member('b') });
  });

  test('counts a primary that began without writing', () => {
    const begun = report('b', { highestEpoch: 4, standings: at(4, 10) });
    expect(judge({ reports: [begun] })).toMatchObject({ kind: 'catch-up', from: member('b') });
  });

  test('leaves it to a node that is ahead and has seen fewer epochs, which fetches from this one', () => {
    const earlier = report('b', { highestEpoch: 2, positions: at(2, 7, 'other.db') });
    expect(judge({ reports: [earlier] })).toEqual({
      kind: 'abstain',
      reason: 'b is ahead in other.db, in an earlier epoch',
    });
  });

  test('does not lead beside one that says it is primary', () => {
    const verdict = judge({ reports: [report('b', { isPrimary: true })] });
    expect(verdict).toEqual({ kind: 'abstain', reason: 'b says that it is primary' });
  });

  test('does not listen to whoever has moved to the address of a member', () => {
    const stranger = report('z', { positions: at(9, 99) });
    const foreign = report('b', { clusterId: 'Y', isPrimary: true, positions: at(9, 99) });
    expect(judge({ reports: [stranger, foreign] })).toEqual({ kind: 'lead' });
  });

  test('does not take itself for another', () => {
    expect(judge({ reports: [report('a', { positions: at(9, 99) })] })).toEqual({ kind: 'lead' });
  });

  test('does not lead data of another cluster, or of none, under the lease', () => {
    expect(judge({ own: own({ clusterId: 'Y' }) })).toEqual({
      kind: 'abstain',
      reason: 'the data of this node is of cluster Y, the lease of X',
    });
    expect(judge({ own: own({ clusterId: undefined, hasJoined: false }) })).toEqual({
      kind: 'abstain',
      reason: 'the data of this node is of no cluster, the lease of X',
    });
  });

  test('leads the first cluster with the data it brings', () => {
    const first = own({ clusterId: undefined, hasJoined: false });
    expect(judge({ own: first, view: { members: [] }, reports: [] })).toEqual({ kind: 'lead' });
  });
});

describe('a node with a new disk', () => {
  const empty = own({
    clusterId: undefined,
    hasJoined: false,
    hasData: false,
    standings: {},
    highestEpoch: 0,
  });

  test('does not lead while a member is silent, which may have the data', () => {
    expect(judge({ own: empty, reports: [report('b', { positions: {} })] })).toEqual({
      kind: 'abstain',
      reason: 'this node is new, and c, which may have data, is silent',
    });
  });

  test('fetches everything before it leads when a member has data', () => {
    expect(judge({ own: empty })).toMatchObject({ kind: 'catch-up', databases: ['app.db'] });
  });

  test('leads when every member says that it has nothing', () => {
    const reports = [report('b', { positions: {} }), report('c', { positions: {} })];
    expect(judge({ own: empty, reports })).toEqual({ kind: 'lead' });
  });

  test('leads a cluster that there has not been yet', () => {
    expect(judge({ own: empty, view: { members: [] }, reports: [] })).toEqual({ kind: 'lead' });
  });

  test('leads when it is the only member there was', () => {
    const view = { clusterId: 'X', members: [member('a')] };
    expect(judge({ own: empty, view, reports: [] })).toEqual({ kind: 'lead' });
  });

  test('that once was in the cluster, without data, is a node as any', () => {
    const old = own({ hasData: false, standings: {} });
    expect(judge({ own: old, reports: [] })).toEqual({ kind: 'lead' });
  });
});

describe('where writes wait for a majority', () => {
  test('a node that hears too few does not lead', () => {
    expect(judge({ heardMin: 2, reports: [] })).toEqual({
      kind: 'abstain',
      reason: 'b, c may have confirmed writes',
    });
    expect(judge({ heardMin: 2, reports: [report('c')] })).toEqual({ kind: 'lead' });
  });

  test('it leads when every member is heard, however few they are', () => {
    const view = { clusterId: 'X', members: [member('a')] };
    expect(judge({ heardMin: 2, view, reports: [] })).toEqual({ kind: 'lead' });
  });
});

describe('among nodes with any positions that all hear each other', () => {
  const names = ['p.db', 'q.db', 'r.db'];
  const position = fc.record({ epoch: fc.nat(3), txid: fc.nat(4) });
  const standings = fc
    .array(position, { minLength: 3, maxLength: 3 })
    .map((positions) =>
      Object.fromEntries(names.map((name, index) => [name, positions[index] ?? NOWHERE])),
    );
  const NOWHERE = { epoch: 0, txid: 0 };
  type Standings = Record<string, typeof NOWHERE>;

  const highestOf = (of: Standings): number =>
    Math.max(...Object.values(of).map(({ epoch }) => epoch));

  /** One attempt of node `index`; what it fetches it has afterwards. */
  function attempt(all: Standings[], index: number): ElectionVerdict {
    const nodes = all.map((each, number) => ({ each, ...member(`n${number}`) }));
    const mine = all[index] ?? {};
    const verdict = judgeElection({
      own: own({ name: `n${index}`, standings: mine, highestEpoch: highestOf(mine) }),
      view: { clusterId: 'X', members: nodes },
      reports: nodes
        .filter((_, number) => number !== index)
        .map(({ name, each }) =>
          report(name, { positions: each, standings: each, highestEpoch: highestOf(each) }),
        ),
      heardMin: 1,
    });
    if (verdict.kind === 'catch-up') {
      const from = nodes.find(({ name }) => name === verdict.from.name)?.each ?? {};
      const fetched = verdict.databases.map((name) => [name, from[name] ?? NOWHERE]);
      all[index] = { ...mine, ...Object.fromEntries(fetched) };
    }
    return verdict;
  }

  test('somebody comes to lead, and has all that any of them had', () => {
    fc.assert(
      fc.property(fc.array(standings, { minLength: 1, maxLength: 4 }), (given) => {
        const all: Standings[] = given.map((each) => ({ ...each }));
        const best = names.map((name) =>
          all
            .map((each) => each[name] ?? NOWHERE)
            .toSorted(comparePositions)
            .at(-1),
        );
        for (let round = 0; round < 20; round += 1) {
          const index = round % all.length;
          if (attempt(all, index).kind !== 'lead') continue;
          const held = names.map((name) => all[index]?.[name]);
          for (const [number, position] of best.entries()) {
            // Nobody has what has no transaction.
            if ((position?.txid ?? 0) > 0) expect(held[number]).toEqual(position);
          }
          return;
        }
        expect.fail('nobody came to lead');
      }),
    );
  });
});
