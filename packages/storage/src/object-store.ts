import type { LtxLayout } from './ltx-layout.ts';

/** An object as a listing shows it. */
export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** Milliseconds since the Unix epoch: in a folder what `put` was told, in S3 the time of upload. */
  readonly modifiedMs: number;
}

/** An object looked at by itself. */
export interface ObjectStat extends StoredObject {
  /** What `put` was told as `createdMs`; `modifiedMs` when it was told nothing. */
  readonly createdMs: number;
}

/** A body that is made while it is sent. */
export interface SizedChunks {
  readonly sizeBytes: number;
  /** Exactly `sizeBytes` bytes in all. A chunk is copied before the next one is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

export type ObjectBody = Uint8Array | SizedChunks;

/** The bytes `offset` to `offset + lengthBytes - 1`. */
export interface ByteRange {
  readonly offset: number;
  /** At least 1. */
  readonly lengthBytes: number;
}

export interface PutOptions {
  /** When the content came into being, kept with the object and given back by `stat`. */
  readonly createdMs?: number;
}

export interface ListOptions {
  /** Only keys after this one. */
  readonly after?: string;
}

/**
 * What a store does with `putIfAbsent` when two writers meet.
 *
 * - `honoured`: one of them wins, whatever the moment.
 * - `ignored`: the store overwrites. Only the look before the write protects, and two writers at
 *   the same moment may both be told that they won.
 * - `refused`: the store has no such request; as `ignored`.
 */
export type ConditionalWrites = 'honoured' | 'ignored' | 'refused';

/**
 * Where files are kept for backup: names and bytes, nothing else. All methods throw `StorageError`.
 *
 * Keys are paths with `/`, at most 900 bytes of UTF-8, of segments of 1 to 200 bytes that are not
 * `.`, `..` or `.tandem-tmp`; no control characters, no backslash, no space at either end. No key
 * may be a folder of another (`a` beside `a/b`). `storage_key_invalid` otherwise.
 */
export interface ObjectStore {
  /** For messages; holds no secret. */
  readonly url: string;
  /** How LTX files are named here; see `ltxKey`. */
  readonly layout: LtxLayout;

  /** Writes or replaces an object. Readers see the old one or the new one, never a part. */
  put(key: string, body: ObjectBody, options?: PutOptions): Promise<void>;

  /**
   * Writes an object unless there is one: true when it is there by this call, false when it was
   * there. How much that is worth among several writers, `probeConditionalWrites` tells.
   * An answer that was lost on the way is resolved by comparing the bytes, so bodies that matter
   * should differ by writer.
   */
  putIfAbsent(key: string, body: Uint8Array): Promise<boolean>;

  /** Finds out by trying, with an object that is removed again. Remembered by this store. */
  probeConditionalWrites(): Promise<ConditionalWrites>;

  /**
   * A whole object, or the part of `range` that exists (possibly nothing). It is held in memory;
   * for large ones use `stream`.
   *
   * @throws StorageError `storage_not_found`.
   */
  get(key: string, range?: ByteRange): Promise<Uint8Array>;

  /**
   * A whole object in pieces, in order. A connection that breaks is resumed; an object that is
   * replaced meanwhile ends with `storage_changed` or goes on as it was.
   *
   * @throws StorageError `storage_not_found`, before the first piece.
   */
  stream(key: string): AsyncIterable<Uint8Array>;

  /** @throws StorageError `storage_not_found`. */
  stat(key: string): Promise<ObjectStat>;

  /** The objects whose keys begin with `prefix`, by the bytes of their keys, a page at a time. */
  list(prefix: string, options?: ListOptions): AsyncIterable<StoredObject>;

  /** Removes an object; does nothing when there is none. */
  delete(key: string): Promise<void>;

  /** Lists, writes, reads and deletes once, so that a wrong setting shows at start. */
  check(): Promise<void>;
}
