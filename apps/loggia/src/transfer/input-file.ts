import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { ImportError } from './import-error.ts';

const MAGIC_BYTES = 4;
const CHUNK_BYTES = 256 * 1024;

/** A file that is read from its beginning to its end, decompressed when it is of gzip or zstd. */
export class InputFile {
  readonly path: string;
  /** As it lies on the disk. */
  readonly sizeBytes: number;
  readonly #chunkBytes: number;
  #bytesRead = 0;

  /** @throws ImportError `import_unreadable` */
  constructor(path: string, chunkBytes = CHUNK_BYTES) {
    this.path = path;
    this.#chunkBytes = chunkBytes;
    try {
      const stats = statSync(path);
      if (!stats.isFile()) throw new Error('it is no file');
      this.sizeBytes = stats.size;
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  /** 0 to 1. */
  get shareRead(): number {
    return this.sizeBytes === 0 ? 1 : this.#bytesRead / this.sizeBytes;
  }

  /** @throws ImportError `import_unreadable` when it cannot be read or ends too early. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    this.#bytesRead = 0;
    const file = createReadStream(this.path, { highWaterMark: this.#chunkBytes });
    file.on('data', (chunk) => (this.#bytesRead += chunk.length));
    const unpacker = unpackerFor(firstBytes(this.path));
    // The error, if there is one, comes out of the iteration.
    const stream = unpacker === undefined ? file : pipeline(file, unpacker, () => undefined);
    try {
      for await (const chunk of stream) yield chunk as Uint8Array;
    } catch (error) {
      throw unreadable(this.path, error);
    }
  }
}

function unpackerFor(magic: Buffer) {
  if (magic[0] === 0x1f && magic[1] === 0x8b) return createGunzip({ chunkSize: CHUNK_BYTES });
  if (magic.equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]))) return createZstdDecompress();
  return undefined;
}

function firstBytes(path: string): Buffer {
  const bytes = Buffer.alloc(MAGIC_BYTES);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, bytes, 0, MAGIC_BYTES, 0);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  return bytes;
}

function unreadable(path: string, cause: unknown): ImportError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ImportError('import_unreadable', `${path} cannot be read: ${reason}`, {
    cause,
    hint: 'Check that the file is there, whole, and readable for this user.',
  });
}
