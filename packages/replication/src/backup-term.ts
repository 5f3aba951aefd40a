import { StorageError, type ObjectStore } from '@tandem/storage';
import { BackupError } from './backup-error.ts';

/**
 * From here on, one primary writes the backup of a database. A record `PREFIX/terms/NUMBER.json`
 * that is written once and never changed; of several who want the next number, one gets it.
 *
 * Files lie in **generations**, each with one history of the database and a snapshot of its own. The
 * first one is at the prefix itself, where Litestream looks; later ones are below it. A primary whose
 * history is not that of the files it finds begins another generation: files of two histories never
 * lie side by side, and what an old primary still uploads does no harm.
 */
export interface BackupTerm {
  /** From 1 up, without gaps except where old records have been removed. */
  readonly number: number;
  readonly epoch: number;
  readonly clusterId: string | undefined;
  readonly generation: number;
  /** The last transaction that was in the backup when the term began. */
  readonly startTxid: number;
  /** Through here the generation before this one holds the same transactions; 0: not known. */
  readonly sharedTxid: number;
  readonly startedMs: number;
  /** Tells this record from one that another writes at the same time. */
  readonly writer: string;
}

/** One history in the backup. */
export interface BackupGeneration {
  readonly number: number;
  readonly prefix: string;
  /** Through here its transactions are those of the newest generation; the rest was given up. */
  readonly sharedTxid: number;
}

const TERMS_FOLDER = 'terms';
const DIGITS = 16;
const KEY_NUMBER = /\/(?<number>[0-9a-f]{16})\.json$/;
const READS_AT_ONCE = 8;

/** What the keys of a generation's files begin with. */
export function generationPrefix(databasePrefix: string, generation: number): string {
  return generation === 1 ? databasePrefix : `${databasePrefix}/generations/${hex(generation)}`;
}

/**
 * The terms after number `afterNumber`, in their order.
 *
 * @throws StorageError, BackupError `backup_record_invalid`.
 */
export async function readTerms(
  store: ObjectStore,
  databasePrefix: string,
  afterNumber = 0,
): Promise<BackupTerm[]> {
  const keys: string[] = [];
  const options = { after: termKey(databasePrefix, afterNumber) };
  for await (const { key } of store.list(`${databasePrefix}/${TERMS_FOLDER}/`, options)) {
    if (KEY_NUMBER.test(key)) keys.push(key);
  }
  const terms: BackupTerm[] = [];
  for (let start = 0; start < keys.length; start += READS_AT_ONCE) {
    const some = keys.slice(start, start + READS_AT_ONCE);
    const read = await Promise.all(some.map((key) => tryReadTerm(store, key)));
    terms.push(...read.filter((term) => term !== undefined));
  }
  return terms;
}

/** Writes the record of a term; false when another has taken its number. @throws StorageError */
export function claimTerm(
  store: ObjectStore,
  databasePrefix: string,
  term: BackupTerm,
): Promise<boolean> {
  const bytes = Buffer.from(`${JSON.stringify({ version: 1, ...term }, undefined, 2)}\n`);
  return store.putIfAbsent(termKey(databasePrefix, term.number), bytes);
}

/**
 * Removes the records that nobody needs any more: all but the first one of each generation from
 * `firstGeneration` on, and the newest.
 *
 * @throws StorageError
 */
export async function pruneTerms(
  store: ObjectStore,
  databasePrefix: string,
  terms: readonly BackupTerm[],
  firstGeneration: number,
): Promise<void> {
  const firsts = new Map(terms.toReversed().map((term) => [term.generation, term]));
  for (const term of terms.slice(0, -1)) {
    if (term.generation >= firstGeneration && firsts.get(term.generation) === term) continue;
    await store.delete(termKey(databasePrefix, term.number));
  }
}

/**
 * The generations that terms tell of, the oldest first. The first one is always among them: another
 * tool may have kept a backup there.
 */
export function generationsOf(
  databasePrefix: string,
  terms: readonly BackupTerm[],
): BackupGeneration[] {
  const numbers = new Set([1, ...terms.map(({ generation }) => generation)]);
  return [...numbers].map((number) => {
    const later = terms.filter(({ generation }) => generation > number);
    const sharedTxids = later.map(({ sharedTxid }) => sharedTxid);
    const prefix = generationPrefix(databasePrefix, number);
    return { number, prefix, sharedTxid: Math.min(Infinity, ...sharedTxids) };
  });
}

function termKey(databasePrefix: string, number: number): string {
  return `${databasePrefix}/${TERMS_FOLDER}/${hex(number)}.json`;
}

function hex(number: number): string {
  return number.toString(16).padStart(DIGITS, '0');
}

/** Undefined when the record was removed since it was listed: it was an old one. */
async function tryReadTerm(store: ObjectStore, key: string): Promise<BackupTerm | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await store.get(key);
  } catch (error) {
    if (error instanceof StorageError && error.code === 'storage_not_found') return undefined;
    throw error;
  }
  try {
    return parseTerm(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BackupError('backup_record_invalid', `${key} cannot be read: ${why}`, {
      cause: error,
      hint: 'If its content is lost, give the backup another prefix; what is there can be restored.',
    });
  }
}

function parseTerm(value: unknown): BackupTerm {
  const fields = new Map(Object.entries(value ?? {}));
  const whole = (name: string): number => {
    const field: unknown = fields.get(name);
    if (!Number.isSafeInteger(field) || Number(field) < 0) throw new TypeError(`${name} is odd`);
    return Number(field);
  };
  const clusterId: unknown = fields.get('clusterId');
  const writer: unknown = fields.get('writer');
  if (whole('version') !== 1) throw new TypeError('a newer program wrote it');
  if (typeof writer !== 'string') throw new TypeError('writer is odd');
  return {
    number: whole('number'),
    epoch: whole('epoch'),
    clusterId: typeof clusterId === 'string' ? clusterId : undefined,
    generation: whole('generation'),
    startTxid: whole('startTxid'),
    sharedTxid: whole('sharedTxid'),
    startedMs: whole('startedMs'),
    writer,
  };
}
