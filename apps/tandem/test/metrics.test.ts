import { linkSync, mkdirSync, openSync, closeSync, readFileSync, writeSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../src/http/metrics.ts';
import { DaemonFixture, hasProgram, post } from './daemon-fixture.ts';
import { type DaemonProcess, TOKEN, until } from './daemon-process.ts';
import { EtcdProcess } from './etcd-process.ts';

const BLOB_APP = fileURLToPath(new URL('blob-app.ts', import.meta.url));
const APPLICATION = [process.execPath, BLOB_APP, '{database}', '{port}'];
const OUTDATED = 3_045_001;
/** Those that another test sees move. */
const ELSEWHERE = new Map([
  ['tandem_http_event_streams_cut_total', 'http-events.test.ts'],
  ['tandem_transactions_lost_to_backup_total', 'daemon-counters.test.ts'],
]);

/** Those that need a lease which moves. */
const OF_A_LEASE = new Set([
  'tandem_hand_offs_total',
  'tandem_hand_offs_failed_total',
  'tandem_proxy_is_paused',
  'tandem_writes_degraded_total',
  'tandem_db_is_degraded',
]);

const fixture = new DaemonFixture();
let hasEtcd = true;
/** The metrics that have been seen above 0, in any node of these tests. */
const seen = new Set<string>();

/** Reads the metrics of a node. Several samples of one metric are added up. */
async function metrics(node: DaemonProcess): Promise<Map<string, number>> {
  const answer = await fetch(`http://127.0.0.1:${node.ports.api}/metrics`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const sums = new Map<string, number>();
  for (const line of (await answer.text()).split('\n')) {
    const { name, value } = /^(?<name>\w+)(?:\{.*\})? (?<value>\S+)$/.exec(line)?.groups ?? {};
    if (name === undefined) continue;
    sums.set(name, (sums.get(name) ?? 0) + Number(value));
    if (Number(value) > 0) seen.add(name);
  }
  return sums;
}

/** The labels and numbers of `tandem_quarantines_total`. */
async function quarantines(node: DaemonProcess): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${node.ports.api}/metrics`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const name = 'tandem_quarantines_total';
  const lines = (await answer.text()).split('\n').filter((line) => line.startsWith(name));
  return lines.map((line) => line.slice(name.length));
}

/** Resolves when all of these are above 0 at one node, each at some time. */
async function untilSeen(node: DaemonProcess, ...names: readonly string[]): Promise<void> {
  const missing = new Set(names);
  await until(
    async () => {
      const now = await metrics(node);
      for (const name of missing) if ((now.get(name) ?? 0) > 0) missing.delete(name);
      return missing.size === 0;
    },
    `above 0: ${names.join(', ')}`,
    40_000,
  );
}

function nodeAt(nodes: readonly DaemonProcess[], index: number): DaemonProcess {
  const node = nodes[index];
  if (node === undefined) throw new RangeError('there are two nodes');
  return node;
}

/** Begins a request to the interface and leaves it where it is. */
function beginRequest(
  node: DaemonProcess,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const request = requestHttp({
    host: '127.0.0.1',
    port: node.ports.api,
    method,
    path,
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
  });
  request.on('error', () => {});
  request.flushHeaders();
  if (method === 'POST') request.write('SQLite format 3\0');
  fixture.onEnd(() => request.destroy());
}

/** What a database's header says of the SQLite that wrote it. */
function writeLibraryVersion(path: string, version: number): void {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(version);
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, 4, 96);
  closeSync(file);
}

describe('the metrics of a real daemon', () => {
  it('tell of node, databases, replicas, proxy and acknowledgements', async () => {
    const { nodes } = await fixture.staticPair(
      ['acknowledge: {mode: one, timeout: 100ms, on-timeout: block}', 'checkpoint: {pages: 64}'],
      { application: APPLICATION, env: { TANDEM_PROXY_CONFIRM_TIMEOUT: '20s' } },
    );
    const [primary, replica] = [nodeAt(nodes, 0), nodeAt(nodes, 1)];
    for (let count = 0; count < 20; count += 1) expect(await post(primary, '', '/20000')).toBe(200);
    await untilSeen(
      primary,
      'tandem_replica_is_ready',
      'tandem_writes_acknowledged_total',
      'tandem_wal_restarts_total',
      'litefs_db_commit_count',
      'litefs_http_stream_count',
    );
    await untilSeen(replica, 'tandem_is_following', 'tandem_transactions_applied_total');
    await untilSeen(replica, 'tandem_streams_opened_total', 'tandem_repairs_total');
    const tunnel = connect(primary.ports.proxy, '127.0.0.1');
    fixture.onEnd(() => tunnel.destroy());
    tunnel.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await untilSeen(primary, 'tandem_proxy_tunnels');
    beginRequest(primary, 'GET', '/events');
    await untilSeen(primary, 'tandem_http_event_streams');
    beginRequest(primary, 'POST', '/import?name=new.db', { 'content-length': '8192' });
    await untilSeen(primary, 'tandem_http_imports');

    // A replica that has stopped confirms nothing, and with 'block' writes wait for it.
    replica.signal('SIGSTOP');
    const waiting = post(primary, '', '/1000');
    await untilSeen(
      primary,
      'tandem_writes_waiting',
      'tandem_writes_blocked',
      'tandem_proxy_writes',
      'tandem_proxy_requests',
      'tandem_replica_behind_transactions',
    );
    replica.signal('SIGCONT');
    expect(await waiting).toBe(200);

    const over = new AbortController();
    const writing = (async () => {
      while (!over.signal.aborted) await post(primary, '', '/16000000');
    })();
    await untilSeen(
      replica,
      'tandem_db_lag_transactions',
      'tandem_db_lag_bytes',
      'tandem_db_lag_seconds',
      'litefs_db_lag_seconds',
      'litefs_lag_seconds',
    );
    over.abort();
    await writing;
    // More than the buffers of a connection hold, and nobody reads it.
    beginRequest(primary, 'GET', '/export?name=app.db');
    await untilSeen(primary, 'tandem_http_exports');
  });

  it('tell of what happened while a node was away, and of what it cannot take', async () => {
    const { nodes, restart } = await fixture.staticPair([], { application: APPLICATION });
    expect(await post(nodeAt(nodes, 0), '', '/100')).toBe(200);
    await until(async () => {
      const applied = (await metrics(nodeAt(nodes, 1))).get('tandem_db_txid') ?? 0;
      return applied > 0;
    }, 'the replica has it');
    for (const node of nodes) await node.kill();
    for (const [index, node] of nodes.entries()) {
      const path = join(node.databases, 'app.db');
      const database = new DatabaseSync(path);
      database.exec(`CREATE TABLE unseen_${index} (a); PRAGMA wal_checkpoint(TRUNCATE)`);
      database.close();
      writeLibraryVersion(path, OUTDATED);
    }
    mkdirSync(join(nodeAt(nodes, 0).databases, 'more'));
    linkSync(
      join(nodeAt(nodes, 0).databases, 'app.db'),
      join(nodeAt(nodes, 0).databases, 'more/twin.db'),
    );
    const [primary, replica] = [restart(0), restart(1)];
    await untilSeen(
      primary,
      'tandem_gaps_total',
      'tandem_databases_refused_total',
      'tandem_db_has_wal_reset_bug',
    );
    await untilSeen(replica, 'tandem_foreign_writes_total', 'tandem_quarantines_total');
    expect(await quarantines(replica)).toContain('{kind="foreign_write"} 1');
    expect(await quarantines(replica)).toContain('{kind="other_cluster"} 0');
    const outdated = primary.log.match(/SQLite 3\.45\.1 can corrupt[^}]*SQLite 3\.51\.3 or newer/g);
    expect(outdated).toHaveLength(1);
    expect(primary.log).toContain('a database had changed unseen');
    expect(replica.log).toContain('Another program wrote this to a replica.');
    const status = (await primary.ask('GET', '/status')) as {
      readonly databases: Readonly<Record<string, { readonly sqlite: unknown }>>;
    };
    expect(status.databases['app.db']?.sqlite).toEqual({
      version: '3.45.1',
      hasWalResetBug: true,
    });
  });

  it('tell of hand-offs and of writes that were let pass', async (context) => {
    hasEtcd = hasProgram('etcd');
    if (!hasEtcd) context.skip('needs etcd: it is not installed');
    const etcd = await EtcdProcess.start();
    fixture.onEnd(() => etcd[Symbol.asyncDispose]());
    const lease = `{type: etcd, duration: 3s, etcd: {endpoints: ["${etcd.url}"], prefix: /test}}`;
    const { nodes } = await fixture.pair(
      () => [`lease: ${lease}`, 'acknowledge: {mode: one, timeout: 1s}'],
      { application: APPLICATION },
    );
    const [one, two] = [nodeAt(nodes, 0), nodeAt(nodes, 1)];
    expect(await post(one, '', '/100')).toBe(200);
    await untilSeen(two, 'tandem_db_txid');
    await one.ask('POST', '/handoff?node=two');
    await untilSeen(one, 'tandem_hand_offs_total', 'tandem_role_changes_total');
    expect(await post(one, '', '/100')).toBe(200);

    // A transaction that does not end holds the next hand-off up until it fails.
    const writer = new DatabaseSync(join(two.databases, 'app.db'));
    writer.exec('BEGIN IMMEDIATE');
    const failing = two.ask('POST', '/handoff?node=one');
    await untilSeen(two, 'tandem_proxy_is_paused');
    await failing;
    writer.exec('ROLLBACK');
    writer.close();
    await untilSeen(two, 'tandem_hand_offs_failed_total');

    await one.kill();
    expect(await post(two, '', '/100')).toBe(200);
    await untilSeen(two, 'tandem_writes_degraded_total', 'tandem_db_is_degraded');
  });

  it('has each of those that another test sees move in that test', () => {
    for (const [name, file] of ELSEWHERE) {
      expect(readFileSync(new URL(file, import.meta.url), 'utf8')).toContain(name);
    }
  });

  it('have all been above 0 by now', () => {
    const unseen = METRICS.map(({ name }) => name).filter(
      (name) => !seen.has(name) && !ELSEWHERE.has(name) && (hasEtcd || !OF_A_LEASE.has(name)),
    );
    expect(unseen).toEqual([]);
  });
});
