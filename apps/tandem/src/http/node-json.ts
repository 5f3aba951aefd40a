import { hash } from 'node:crypto';
import type { NodeIdentity } from '@tandem/lease';
import type { DatabaseStatus, NodeStatus } from './node-api.ts';

type Json = Readonly<Record<string, unknown>>;

const LITEFS_ID_DIGITS = 16;

/** The answer of `GET /info`: LiteFS's fields first, then ours. */
export function infoJson(status: NodeStatus): Json {
  const { acknowledgement } = status;
  return {
    ...(status.clusterId === undefined ? {} : { clusterID: status.clusterId }),
    isPrimary: status.role === 'primary',
    candidate: status.isCandidate,
    path: status.folder,
    ...(status.primary === undefined
      ? {}
      : { primary: { hostname: status.primary.name, url: status.primary.advertiseUrl } }),
    role: status.role,
    epoch: status.epoch,
    node: nodeJson(status.identity),
    version: status.version,
    lease: status.leaseKind,
    ready: status.obstacles.length === 0,
    notReady: status.obstacles,
    stream: status.streamState,
    databases: byName(status.databases, ({ position, checksum, lag }) => ({
      epoch: position.epoch,
      txid: position.txid,
      ...(checksum === undefined ? {} : { checksum }),
      lag: lag ?? null,
    })),
    lag: largestLag(status) ?? null,
    acknowledgement: {
      mode: acknowledgement.mode,
      onTimeout: acknowledgement.onTimeout,
      timeoutMs: acknowledgement.timeoutMs,
    },
    degraded: acknowledgement.degradedNames,
  };
}

/** The answer of `GET /status`: what `/info` says, the other nodes, logs and counts. */
export function statusJson(status: NodeStatus, nowMs: number): Json {
  return {
    ...infoJson(status),
    uptimeSeconds: Math.max(0, Math.floor((nowMs - status.startedAtMs) / 1000)),
    highestEpoch: status.highestEpoch,
    databases: byName(status.databases, (database) => ({
      ...database.position,
      ...(database.checksum === undefined ? {} : { checksum: database.checksum }),
      ...(database.changedAtMs === undefined
        ? {}
        : { changedAt: new Date(database.changedAtMs).toISOString() }),
      lag: database.lag ?? null,
      pageSize: database.pageSize,
      pageCount: database.pageCount,
      bytes: database.pageSize * database.pageCount,
      log: database.log,
      sqlite: database.sqlite ?? null,
    })),
    members: status.members.map((member) => nodeJson(member)),
    replicas: status.replicas.map(({ node, isReady, databases }) => ({
      ...nodeJson(node),
      ready: isReady,
      databases: byName(databases, ({ state, acknowledged, transactionsBehind }) => ({
        state,
        acknowledged: acknowledged ?? null,
        transactionsBehind,
      })),
    })),
    acknowledgements: status.acknowledgement.counts ?? null,
    counters: status.counters,
    quarantines: status.quarantines,
  };
}

/** What `init` tells a reader of events: the state that later events change. */
export function initJson(status: NodeStatus, isGap: boolean): Json {
  return {
    ...primaryChangeJson(status),
    isGap,
    positions: byName(status.databases, ({ position }) => position),
  };
}

/** LiteFS's `hostname` is that of the primary, on a replica; ours is always that of the primary. */
export function primaryChangeJson({ role, primary, epoch }: NodeStatus): Json {
  return {
    isPrimary: role === 'primary',
    ...(primary === undefined ? {} : { hostname: primary.name }),
    role,
    epoch,
  };
}

/** What a `tx` tells. Several transactions captured together are one event, with the last txid. */
export function txJson(database: DatabaseStatus): Json {
  const { position, checksum, pageSize, pageCount, changedAtMs } = database;
  return {
    txID: txidText(position.txid),
    ...(checksum === undefined ? {} : { postApplyChecksum: checksum }),
    pageSize,
    commit: pageCount,
    ...(changedAtMs === undefined ? {} : { timestamp: new Date(changedAtMs).toISOString() }),
    epoch: position.epoch,
  };
}

/** The largest lag of any database in each respect; undefined when that of one is not known. */
export function largestLag({
  databases,
}: NodeStatus): NonNullable<DatabaseStatus['lag']> | undefined {
  const largest = { transactions: 0, bytes: 0, seconds: 0 };
  for (const { lag } of databases) {
    if (lag === undefined) return undefined;
    largest.transactions = Math.max(largest.transactions, lag.transactions);
    largest.bytes = Math.max(largest.bytes, lag.bytes);
    largest.seconds = Math.max(largest.seconds, lag.seconds);
  }
  return largest;
}

/** A transaction's number as LTX file names have it. */
export function txidText(txid: number): string {
  return txid.toString(16).padStart(16, '0');
}

/** The node's id in the form of LiteFS's, which is 16 upper-case hexadecimal digits. */
export function litefsIdOf(identity: NodeIdentity): string {
  return hash('sha256', identity.id, 'hex').slice(0, LITEFS_ID_DIGITS).toUpperCase();
}

function nodeJson(identity: NodeIdentity): Json {
  const { name, id, advertiseUrl } = identity;
  return { name, id, litefsId: litefsIdOf(identity), url: advertiseUrl };
}

function byName<Item extends { readonly name: string }>(
  items: readonly Item[],
  toJson: (item: Item) => unknown,
): Json {
  return Object.fromEntries(items.map((item) => [item.name, toJson(item)]));
}
