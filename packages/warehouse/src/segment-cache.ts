import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Segment } from '@loggia/contract';
import type { ArchiveSource } from './archive-source.ts';
import { WarehouseError } from './warehouse-error.ts';

/** How a file was when its bytes were last known to be right. */
interface Proof {
  readonly size: number;
  readonly modifiedMs: number;
}

/** Files that one reader keeps from being deleted. */
export interface PinnedFiles {
  readonly paths: readonly string[];
  /** The reader is done. */
  release(): void;
}

const FILE = /^segment-(?<id>\d+)-[0-9a-f]{12}\.parquet(?<unfinished>\.\d+)?$/;
/** A file that is still unfinished after this was left by a process that died. */
const UNFINISHED_MS_MAX = 3_600_000;

/**
 * The archive's segments as files of a folder, made from the journal when they are first needed.
 *
 * Invariant W13: what is handed out has the bytes that the journal holds: a file is checked against
 * its SHA-256 when this process first meets it and whenever its size or time has changed, and made
 * anew when it is missing or wrong. The folder may be deleted at any moment.
 * Invariant W14: a file is deleted only when its segment is gone and nobody reads it.
 */
export class SegmentCache {
  readonly #folder: string;
  readonly #source: ArchiveSource;
  readonly #proofs = new Map<number, Proof>();
  readonly #readers = new Map<number, number>();
  /** Undefined until `keep` was called: who never calls it shares the folder and deletes nothing. */
  #wanted: ReadonlySet<number> | undefined;

  constructor(folder: string, source: ArchiveSource) {
    this.#folder = folder;
    this.#source = source;
  }

  /** Says which segments there are now, and deletes the files of all others that nobody reads. */
  keep(segments: readonly Segment[]): void {
    const wanted = new Set(segments.map(({ id }) => id));
    this.#wanted = wanted;
    for (const name of this.#fileNames()) {
      const { id: digits, unfinished } = FILE.exec(name)?.groups ?? {};
      const id = Number(digits);
      if (unfinished !== undefined) this.#deleteIfOld(name);
      else if (!wanted.has(id) && !this.#readers.has(id)) this.#delete(id, name);
    }
  }

  /**
   * The files of the segments, which stay until they are released.
   *
   * @throws WarehouseError `segment_gone` when one of them has been replaced meanwhile.
   */
  pin(segments: readonly Segment[]): PinnedFiles {
    const paths = segments.map((segment) => this.#ensure(segment));
    for (const { id } of segments) this.#readers.set(id, (this.#readers.get(id) ?? 0) + 1);
    let isReleased = false;
    return {
      paths,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        for (const segment of segments) this.#release(segment);
      },
    };
  }

  #release(segment: Segment): void {
    const { id } = segment;
    const readers = (this.#readers.get(id) ?? 1) - 1;
    if (readers > 0) {
      this.#readers.set(id, readers);
      return;
    }
    this.#readers.delete(id);
    if (this.#wanted?.has(id) === false) this.#delete(id, fileName(segment));
  }

  #ensure(segment: Segment): string {
    const path = join(this.#folder, fileName(segment));
    const found = proofOf(path);
    const known = this.#proofs.get(segment.id);
    if (found !== undefined && found.size === segment.bytes) {
      const isKnown = known?.modifiedMs === found.modifiedMs;
      if (isKnown || sha256Of(readFileSync(path)) === segment.sha256) {
        this.#proofs.set(segment.id, found);
        return path;
      }
    }
    this.#write(segment, path);
    return path;
  }

  #write(segment: Segment, path: string): void {
    const body = this.#source.body(segment.id);
    if (body === undefined) {
      throw new WarehouseError('segment_gone', `Segment ${segment.id} has been replaced.`, {
        retryable: true,
      });
    }
    if (sha256Of(body) !== segment.sha256) {
      throw new WarehouseError('segment_damaged', `Segment ${segment.id} is damaged.`, {
        hint: 'The journal itself is damaged there; restore it from a backup.',
      });
    }
    mkdirSync(this.#folder, { recursive: true });
    // Another process may be reading, or making, the same file.
    const temporary = `${path}.${process.pid}`;
    writeFileSync(temporary, body);
    renameSync(temporary, path);
    const proof = proofOf(path);
    if (proof !== undefined) this.#proofs.set(segment.id, proof);
  }

  #delete(id: number, name: string): void {
    this.#proofs.delete(id);
    rmSync(join(this.#folder, name), { force: true });
  }

  #deleteIfOld(name: string): void {
    const path = join(this.#folder, name);
    const proof = proofOf(path);
    if (proof !== undefined && Date.now() - proof.modifiedMs > UNFINISHED_MS_MAX) {
      rmSync(path, { force: true });
    }
  }

  #fileNames(): readonly string[] {
    try {
      return readdirSync(this.#folder).filter((name) => FILE.test(name));
    } catch {
      // Without a folder there are no files.
      return [];
    }
  }
}

/** Whether a segment was merged away before its file was made: reading the sets anew helps. */
export function isGone(error: unknown): boolean {
  return error instanceof WarehouseError && error.code === 'segment_gone';
}

/** Named for its content as well, so that a restored journal that uses an id again is no danger. */
function fileName({ id, sha256 }: Segment): string {
  return `segment-${id}-${sha256.slice(0, 12)}.parquet`;
}

function proofOf(path: string): Proof | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : { size: found.size, modifiedMs: found.mtimeMs };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
