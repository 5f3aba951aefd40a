import { numberIn, objectsIn, stringIn, type JsonObject } from './json-value.ts';
import { decodeLeaseRecord, decodeMembers, type LeaseRecord } from './lease-record.ts';
import type { LeaseView } from './lease-store.ts';

/**
 * What etcd keeps below the prefix:
 *
 * - `leader`: the holder's record, attached to an etcd lease, so that it goes with it;
 * - `state`: epoch and reservation, which outlive every holder;
 * - `cluster-id`, `members`.
 */
export interface EtcdKeys {
  readonly leader: string;
  readonly state: string;
  readonly clusterId: string;
  readonly members: string;
  /** From the first of them to past the last. */
  readonly first: string;
  readonly end: string;
}

/** What was read in one go, so that it belongs together. */
export interface EtcdSnapshot {
  readonly revision: number;
  readonly leader: EtcdEntry | undefined;
  /** 0 when there is none. */
  readonly stateRevision: number;
  readonly state: LeaseRecord;
  readonly view: LeaseView;
}

export interface EtcdEntry {
  readonly createRevision: number;
  readonly leaseId: string;
  readonly record: LeaseRecord;
}

/** The keys below `prefix`, in base64 as the gateway wants them. */
export function etcdKeys(prefix: string): EtcdKeys {
  const folder = prefix.endsWith('/') ? prefix : `${prefix}/`;
  const key = (name: string): string => toBase64(`${folder}${name}`);
  return {
    leader: key('leader'),
    state: key('state'),
    clusterId: key('cluster-id'),
    members: key('members'),
    first: toBase64(folder),
    end: toBase64(`${folder.slice(0, -1)}0`),
  };
}

/** Reads the answer to a range over all keys. */
export function decodeEtcdRange(
  keys: EtcdKeys,
  answer: JsonObject,
  revision: number,
): EtcdSnapshot {
  const entries = new Map(objectsIn(answer, 'kvs').map((kv) => [stringIn(kv, 'key'), kv]));
  const text = (key: string): string | undefined => {
    const kv = entries.get(key);
    return kv === undefined ? undefined : fromBase64(stringIn(kv, 'value') ?? '');
  };
  const leader = entries.get(keys.leader);
  const state = decodeLeaseRecord(text(keys.state) ?? '');
  const record = decodeLeaseRecord(text(keys.leader) ?? '');
  const stateEntry = entries.get(keys.state);
  const clusterId = text(keys.clusterId);
  const epoch = Math.max(state.epoch, record.epoch);
  const { reservation } = state;
  return {
    revision,
    leader:
      leader === undefined
        ? undefined
        : {
            createRevision: numberIn(leader, 'create_revision') ?? 0,
            leaseId: stringIn(leader, 'lease') ?? '0',
            record,
          },
    stateRevision: stateEntry === undefined ? 0 : (numberIn(stateEntry, 'mod_revision') ?? 0),
    state,
    view: {
      ...(record.holder === undefined ? {} : { holder: record.holder }),
      epoch,
      ...(clusterId === undefined ? {} : { clusterId }),
      members: decodeMembers(text(keys.members)),
      // A holder that gives the lease up leaves no holder in the state; one that dies leaves itself.
      isReleased: leader === undefined && epoch > 0 && state.holder === undefined,
      ...(reservation === undefined ? {} : { successorName: reservation.successorName }),
    },
  };
}

/** Text as the gateway wants it. */
export function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

/** Text as the gateway gives it. */
export function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}
