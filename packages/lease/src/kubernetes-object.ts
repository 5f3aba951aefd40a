import {
  isJsonObject,
  numberIn,
  objectIn,
  objectsIn,
  stringIn,
  type JsonObject,
} from './json-value.ts';
import { decodeMembers, encodeMembers, epochIn, type Reservation } from './lease-record.ts';
import type { LeaseView } from './lease-store.ts';
import type { NodeIdentity } from './node-identity.ts';

/**
 * The Lease object of coordination.k8s.io/v1 as we read and write it. `spec` is Kubernetes' own;
 * what it has no place for stands in annotations, and everything of others is carried along,
 * since a PUT replaces the whole object.
 */
export const LEASE_API = 'coordination.k8s.io/v1';

const PREFIX = 'tandem.dev/';
const EPOCH = `${PREFIX}epoch`;
const HOLDER_NAME = `${PREFIX}holder-name`;
const ADVERTISE_URL = `${PREFIX}advertise-url`;
const CLUSTER_ID = `${PREFIX}cluster-id`;
const MEMBERS = `${PREFIX}members`;
const SUCCESSOR = `${PREFIX}successor`;
const RESERVATION_MS = `${PREFIX}reservation-ms`;
/** Annotations whose change says that somebody holds, renews or releases. */
const SIGNS_OF_LIFE = [EPOCH, HOLDER_NAME, SUCCESSOR, RESERVATION_MS];

/** A Lease object as it came from the server. */
export interface KubernetesLeaseObject {
  readonly resourceVersion: string;
  readonly json: JsonObject;
}

/** Who takes the lease, and when as a MicroTime, which only people read. */
export interface HolderUpdate {
  readonly holder: NodeIdentity;
  readonly epoch: number;
  readonly durationMs: number;
  readonly time: string;
}

/** The object in an answer, or undefined when it is no Lease. */
export function decodeLeaseObject(json: JsonObject): KubernetesLeaseObject | undefined {
  const resourceVersion = stringIn(objectIn(json, 'metadata'), 'resourceVersion');
  return resourceVersion === undefined ? undefined : { resourceVersion, json };
}

/** The Leases of an answer to a list, with the version from which to watch. */
export function decodeLeaseList(json: JsonObject): {
  resourceVersion: string;
  items: readonly KubernetesLeaseObject[];
} {
  const items = objectsIn(json, 'items').map(decodeLeaseObject);
  return {
    resourceVersion: stringIn(objectIn(json, 'metadata'), 'resourceVersion') ?? '',
    items: items.filter((item) => item !== undefined),
  };
}

/** What the object says of the lease. */
export function viewOfLeaseObject(object: KubernetesLeaseObject | undefined): LeaseView {
  if (object === undefined) return { epoch: 0, members: [], isReleased: false };
  const annotations = annotationsOf(object);
  const id = holderIdOf(object);
  const clusterId = stringIn(annotations, CLUSTER_ID);
  const successorName = stringIn(annotations, SUCCESSOR);
  const epoch = epochOf(object);
  return {
    ...(id === undefined
      ? {}
      : {
          holder: {
            id,
            name: stringIn(annotations, HOLDER_NAME) ?? id,
            advertiseUrl: stringIn(annotations, ADVERTISE_URL) ?? '',
          },
        }),
    epoch,
    ...(clusterId === undefined ? {} : { clusterId }),
    members: decodeMembers(stringIn(annotations, MEMBERS)),
    isReleased: id === undefined && epoch > 0,
    ...(successorName === undefined ? {} : { successorName }),
  };
}

/** The recorded holder's id, or undefined when the lease has been released or never taken. */
export function holderIdOf(object: KubernetesLeaseObject): string | undefined {
  const id = stringIn(objectIn(object.json, 'spec'), 'holderIdentity');
  return id === '' ? undefined : id;
}

/** The highest number that may have served as an epoch. */
export function epochOf(object: KubernetesLeaseObject): number {
  const transitions = numberIn(objectIn(object.json, 'spec'), 'leaseTransitions') ?? 0;
  return Math.max(epochIn(annotationsOf(object), EPOCH), transitions);
}

/** How long the holder's silence must be, by the record and not by our own settings. */
export function recordedDurationMs(object: KubernetesLeaseObject): number | undefined {
  const seconds = numberIn(objectIn(object.json, 'spec'), 'leaseDurationSeconds');
  return seconds === undefined ? undefined : seconds * 1000;
}

/** When the record says it was last renewed, as text. */
export function renewTimeOf(object: KubernetesLeaseObject): string | undefined {
  return stringIn(objectIn(object.json, 'spec'), 'renewTime');
}

/** For whom the last holder reserved the lease. */
export function reservationOf(object: KubernetesLeaseObject): Reservation | undefined {
  const annotations = annotationsOf(object);
  const successorName = stringIn(annotations, SUCCESSOR);
  const durationMs = numberIn(annotations, RESERVATION_MS);
  if (successorName === undefined || durationMs === undefined) return undefined;
  return { successorName, durationMs };
}

/** What must stay the same for the holder to count as silent. Labels and the like do not matter. */
export function signsOfLife(object: KubernetesLeaseObject): string {
  const annotations = annotationsOf(object);
  return JSON.stringify([
    objectIn(object.json, 'spec'),
    SIGNS_OF_LIFE.map((name) => annotations[name] ?? null),
  ]);
}

/** The object in which `update.holder` has taken the lease. `before` may be absent. */
export function withHolder(
  before: KubernetesLeaseObject | undefined,
  name: string,
  update: HolderUpdate,
): JsonObject {
  const spec = before === undefined ? {} : objectIn(before.json, 'spec');
  const transitions = numberIn(spec, 'leaseTransitions') ?? 0;
  const isOwn = before !== undefined && holderIdOf(before) === update.holder.id;
  const { time } = update;
  return rewritten(before, name, {
    spec: {
      ...spec,
      holderIdentity: update.holder.id,
      leaseDurationSeconds: wholeSeconds(update.durationMs),
      acquireTime: time,
      renewTime: time,
      leaseTransitions: before === undefined || isOwn ? transitions : transitions + 1,
    },
    annotations: {
      [EPOCH]: String(update.epoch),
      [HOLDER_NAME]: update.holder.name,
      [ADVERTISE_URL]: update.holder.advertiseUrl,
      [SUCCESSOR]: undefined,
      [RESERVATION_MS]: undefined,
    },
  });
}

/** The object renewed by its holder. */
export function withRenewal(before: KubernetesLeaseObject, name: string, time: string): JsonObject {
  const spec = { ...objectIn(before.json, 'spec'), renewTime: time };
  return rewritten(before, name, { spec });
}

/** The object given up by its holder; the server refuses a duration of 0. */
export function withoutHolder(
  before: KubernetesLeaseObject,
  name: string,
  change: { readonly time: string; readonly reservation: Reservation | undefined },
): JsonObject {
  const { time, reservation } = change;
  return rewritten(before, name, {
    spec: {
      ...objectIn(before.json, 'spec'),
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: time,
    },
    annotations: {
      [HOLDER_NAME]: undefined,
      [ADVERTISE_URL]: undefined,
      [SUCCESSOR]: reservation?.successorName,
      [RESERVATION_MS]: reservation === undefined ? undefined : String(reservation.durationMs),
    },
  });
}

/** The object with the cluster's id. `before` may be absent. */
export function withClusterId(
  before: KubernetesLeaseObject | undefined,
  name: string,
  clusterId: string,
): JsonObject {
  return rewritten(before, name, { annotations: { [CLUSTER_ID]: clusterId } });
}

/** The object with the list of members. */
export function withMembers(
  before: KubernetesLeaseObject,
  name: string,
  members: readonly NodeIdentity[],
): JsonObject {
  return rewritten(before, name, { annotations: { [MEMBERS]: encodeMembers(members) } });
}

/**
 * MicroTime: exactly six digits after the point, or the server answers 400. `micros` (0 to 999)
 * are the last three.
 */
export function microTime(wallMs: number, micros: number): string {
  return new Date(wallMs).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
}

function wholeSeconds(durationMs: number): number {
  return Math.max(1, Math.ceil(durationMs / 1000));
}

function annotationsOf(object: KubernetesLeaseObject): JsonObject {
  return objectIn(objectIn(object.json, 'metadata'), 'annotations');
}

interface Change {
  readonly spec?: JsonObject;
  readonly annotations?: Readonly<Record<string, string | undefined>>;
}

function rewritten(
  before: KubernetesLeaseObject | undefined,
  name: string,
  change: Change,
): JsonObject {
  const json = before?.json ?? {};
  const metadata = objectIn(json, 'metadata');
  const spec = change.spec ?? json['spec'];
  return {
    ...json,
    apiVersion: LEASE_API,
    kind: 'Lease',
    metadata: {
      ...metadata,
      name,
      annotations: { ...objectIn(metadata, 'annotations'), ...change.annotations },
    },
    ...(isJsonObject(spec) ? { spec } : { spec: {} }),
  };
}
