import {
  isJsonObject,
  numberIn,
  objectIn,
  stringIn,
  tryParseJson,
  type JsonObject,
} from './json-value.ts';
import type { NodeIdentity } from './node-identity.ts';

/** For whom the last holder reserved the lease. */
export interface Reservation {
  readonly successorName: string;
  /** Counted by each node from when it first saw the reservation, on its own monotonic clock. */
  readonly durationMs: number;
}

/** What etcd and Consul keep as one JSON value: the epoch survives the holder. */
export interface LeaseRecord {
  readonly epoch: number;
  readonly holder?: NodeIdentity;
  readonly reservation?: Reservation;
}

/** The record as text, its members in a fixed order. */
export function encodeLeaseRecord(record: LeaseRecord): string {
  const { epoch, holder, reservation } = record;
  return JSON.stringify({ epoch, holder, reservation });
}

/** Reads a record; what is missing or of another form counts as absent, the epoch as 0. */
export function decodeLeaseRecord(text: string): LeaseRecord {
  const value = tryParseJson(text);
  if (!isJsonObject(value)) return { epoch: 0 };
  const holder = decodeIdentity(objectIn(value, 'holder'));
  const reservation = decodeReservation(objectIn(value, 'reservation'));
  return {
    epoch: epochIn(value, 'epoch'),
    ...(holder === undefined ? {} : { holder }),
    ...(reservation === undefined ? {} : { reservation }),
  };
}

/** The members as text. */
export function encodeMembers(members: readonly NodeIdentity[]): string {
  return JSON.stringify(members.map(({ id, name, advertiseUrl }) => ({ id, name, advertiseUrl })));
}

/** Reads members; anything else is no member. */
export function decodeMembers(text: string | undefined): NodeIdentity[] {
  const value = text === undefined ? undefined : tryParseJson(text);
  if (!Array.isArray(value)) return [];
  return value
    .filter(isJsonObject)
    .map(decodeIdentity)
    .filter((member) => member !== undefined);
}

/** A member that can be an epoch, else 0. */
export function epochIn(object: JsonObject, member: string): number {
  const epoch = numberIn(object, member) ?? 0;
  return Number.isSafeInteger(epoch) && epoch > 0 ? epoch : 0;
}

function decodeIdentity(value: JsonObject): NodeIdentity | undefined {
  const id = stringIn(value, 'id');
  const name = stringIn(value, 'name');
  const advertiseUrl = stringIn(value, 'advertiseUrl');
  if (id === undefined || name === undefined || advertiseUrl === undefined) return undefined;
  return { id, name, advertiseUrl };
}

function decodeReservation(value: JsonObject): Reservation | undefined {
  const successorName = stringIn(value, 'successorName');
  const durationMs = numberIn(value, 'durationMs');
  if (successorName === undefined || durationMs === undefined) return undefined;
  return { successorName, durationMs };
}
