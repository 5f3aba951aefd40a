import { join } from 'node:path';
import { assert } from '@tandem/base';
import { ReplicationError } from './replication-error.ts';
import { nodeFiles, readIfExists, replaceFile, type FileOperations } from './small-file.ts';

/** The file in the state folder that holds the id, with a newline after it. */
export const CLUSTER_ID_FILE = 'clusterid';
/** How many random bytes `mintClusterId` takes. */
export const CLUSTER_ID_RANDOM_BYTES = 8;

/** It travels in headers: visible ASCII, no blanks. */
const PATTERN = /^[\x21-\x7e]{1,64}$/;

/** A new id as LiteFS writes it: `LFSC` and 16 upper-case hexadecimal digits, of 8 random bytes. */
export function mintClusterId(random: Uint8Array): string {
  assert(random.length === CLUSTER_ID_RANDOM_BYTES, 'a cluster id is made of 8 random bytes');
  return `LFSC${Buffer.from(random).toString('hex').toUpperCase()}`;
}

/**
 * The id in `text`, which may end with a newline. Users may choose their own.
 *
 * @throws ReplicationError `bad_cluster_id`.
 */
export function parseClusterId(text: string): string {
  const id = text.replace(/\r?\n$/, '');
  if (PATTERN.test(id)) return id;
  throw new ReplicationError(
    'bad_cluster_id',
    `${JSON.stringify(text.slice(0, 80))} is no cluster id`,
    {
      hint: 'A cluster id has 1 to 64 visible ASCII characters and no blanks.',
    },
  );
}

/**
 * The id this node keeps, or undefined when it has none yet.
 *
 * @throws ReplicationError `bad_cluster_id` when the file holds something else, `state_failed`.
 */
export function readClusterId(
  folder: string,
  files: FileOperations = nodeFiles,
): string | undefined {
  const path = join(folder, CLUSTER_ID_FILE);
  const text = readIfExists(path, files)?.toString('utf8');
  if (text === undefined) return undefined;
  try {
    return parseClusterId(text);
  } catch (error) {
    throw new ReplicationError('bad_cluster_id', `${path} does not hold a cluster id`, {
      cause: error,
      hint: `Write the id of the cluster into ${path}, or delete the file to let the node ask for it.`,
    });
  }
}

/**
 * Keeps `id` durably.
 *
 * @throws ReplicationError `disk_full`, `state_failed`.
 */
export function writeClusterId(
  folder: string,
  id: string,
  files: FileOperations = nodeFiles,
): void {
  replaceFile(join(folder, CLUSTER_ID_FILE), `${parseClusterId(id)}\n`, files);
}

/** What is known of the cluster ids when a node starts, connects, or is about to be primary. */
export interface ClusterIdFacts {
  /** The id this node keeps. */
  readonly local: string | undefined;
  /** True when this node holds a database or a log. */
  readonly hasData: boolean;
  /** The id in the lease store, where there is one. */
  readonly lease?: string | undefined;
  /** The id that the primary told. */
  readonly primary?: string | undefined;
  /** What happens to data of another cluster. */
  readonly onMismatch: 'set-aside' | 'refuse';
}

/** What to do about the ids. Whoever acts on it keeps `id` after the data is where it belongs. */
export type ClusterIdVerdict =
  /** Nobody has an id. The node makes one, if it is about to be primary. */
  | { readonly kind: 'mint' }
  /** The node keeps its own. Where the lease store has none yet, the primary puts it there. */
  | { readonly kind: 'match'; readonly id: string }
  /** The node is empty and takes this id over. */
  | { readonly kind: 'adopt'; readonly id: string }
  /** The data is moved to quarantine, after which the node is empty and takes this id over. */
  | { readonly kind: 'set-aside'; readonly id: string; readonly sentence: string }
  /** The node does not join. The sentence says what an operator can do. */
  | { readonly kind: 'refuse'; readonly sentence: string };

/**
 * Which cluster a node belongs to. It ends with one answer in every case: there is nothing to try
 * again until the facts change, and no volume has to be deleted by hand.
 */
export function judgeClusterId(facts: ClusterIdFacts): ClusterIdVerdict {
  const { local, hasData, lease, primary } = facts;
  if (lease !== undefined && primary !== undefined && lease !== primary) {
    return { kind: 'refuse', sentence: twoClusters(lease, primary) };
  }
  const id = lease ?? primary;
  if (id === undefined)
    return local === undefined ? { kind: 'mint' } : { kind: 'match', id: local };
  if (local === id) return { kind: 'match', id };
  if (!hasData) return { kind: 'adopt', id };
  const sentence = foreignData(local, id, facts.onMismatch);
  return facts.onMismatch === 'set-aside'
    ? { kind: 'set-aside', id, sentence }
    : { kind: 'refuse', sentence };
}

function twoClusters(lease: string, primary: string): string {
  return (
    `The lease store names cluster ${lease}, but the primary says that it belongs to ${primary}: ` +
    'two clusters share one lease or one address; give each its own lease key and addresses.'
  );
}

function foreignData(local: string | undefined, id: string, onMismatch: string): string {
  const owner =
    local === undefined ? 'that belongs to no cluster' : `that belongs to cluster ${local}`;
  const data = `This node holds data ${owner}, while the cluster it joins is ${id}`;
  return onMismatch === 'set-aside'
    ? `${data}; its data is moved to the quarantine folder and fetched anew from the primary.`
    : `${data}; let mismatched data be set aside in the configuration, or point it to another folder.`;
}
