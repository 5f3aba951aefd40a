import { expect, it } from 'vitest';
import { TandemClient } from '../src/http/client.ts';
import { NodeWriteRight } from '../src/http/node-write-right.ts';
import { HttpFixture, TOKEN } from './http-fixture.ts';
import { PRIMARY, REPLICA, ScriptedNode } from './http-scripted-node.ts';

function rightOn(fixture: HttpFixture, token = TOKEN): NodeWriteRight {
  return new NodeWriteRight(new TandemClient({ url: fixture.url, token, timeoutMs: 10_000 }));
}

const signal = new AbortController().signal;

it('the right is had by a hand-off to this node, and given back to the node before', async () => {
  await using fixture = await HttpFixture.open(new ScriptedNode(REPLICA));
  const { node } = fixture;
  node.onPromote = async () => {
    node.state = PRIMARY;
  };
  const right = rightOn(fixture);
  await right.acquire(signal);
  expect(node.done).toEqual(['promote']);
  await right.release();
  expect(node.done).toEqual(['promote', 'hand off to web-1']);
});

it('the node before is waited for until it is a replica', async () => {
  await using fixture = await HttpFixture.open(new ScriptedNode(REPLICA));
  const { node } = fixture;
  let questions = 0;
  node.onPromote = async () => {
    node.state = { ...PRIMARY, replicas: [] };
  };
  const right = rightOn(fixture);
  await right.acquire(signal);
  const status = node.status.bind(node);
  node.status = () => {
    questions += 1;
    if (questions === 3) node.state = PRIMARY;
    return status();
  };
  await right.release();
  expect(node.done).toEqual(['promote', 'hand off to web-1']);
});

it('on the primary there is nothing to get and nothing to give back', async () => {
  await using fixture = await HttpFixture.open(new ScriptedNode(PRIMARY));
  const right = rightOn(fixture);
  await right.acquire(signal);
  await right.release();
  expect(fixture.node.done).toEqual([]);
});

it('a hand-off that fails is tried again', async () => {
  await using fixture = await HttpFixture.open(
    new ScriptedNode({ ...REPLICA, role: 'none', primary: undefined }),
  );
  const { node } = fixture;
  const status = node.status.bind(node);
  node.status = () => {
    const now = status();
    node.state = REPLICA;
    return now;
  };
  await rightOn(fixture).acquire(signal);
  expect(node.done).toEqual(['promote']);
});

it('what would fail again is not', async () => {
  const refusals = [
    [{ ...REPLICA, leaseKind: 'static' as const }, TOKEN, { exitCode: 69 }],
    [{ ...REPLICA, isCandidate: false }, TOKEN, { nodeCode: 'not_candidate' }],
    [REPLICA, 'wrong', { nodeCode: 'unauthorised' }],
  ] as const;
  for (const [state, token, expected] of refusals) {
    await using fixture = await HttpFixture.open(new ScriptedNode(state));
    await expect(rightOn(fixture, token).acquire(signal)).rejects.toMatchObject(expected);
    expect(fixture.node.done).toEqual([]);
  }
});

it('a wait that is given up ends', async () => {
  await using fixture = await HttpFixture.open(
    new ScriptedNode({ ...REPLICA, role: 'none', primary: undefined }),
  );
  const given = new AbortController();
  const status = fixture.node.status.bind(fixture.node);
  fixture.node.status = () => {
    given.abort(new Error('given up'));
    return status();
  };
  const acquired = rightOn(fixture).acquire(given.signal);
  await expect(acquired).rejects.toThrow(/abort|given up/);
});
