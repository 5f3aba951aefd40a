import { existsSync, realpathSync, rmSync, statSync } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join, basename } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { ClientError } from './client-error.ts';

/** What SQLite keeps beside a database, and would take for part of the next one of that name. */
const COMPANION_ENDINGS = ['-journal', '-wal', '-shm'] as const;
const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';

/** How thoroughly an export is checked before it takes the old file's place. */
export type ExportCheck = 'header' | 'quick';

/**
 * The file that an export becomes. Until `commit`, everything happens beside the old file, which stays
 * as it is whatever happens: no node, no such database, a broken connection, a full disk.
 */
export class ExportTarget {
  readonly path: string;
  readonly #temporary: string;

  /** @throws ClientError `export_failed` when there cannot be a file at `path`. */
  constructor(path: string) {
    // The file that a link points to is replaced, not the link.
    this.path = existsSync(path) ? realpathSync(path) : path;
    if (existsSync(this.path) && !statSync(this.path).isFile()) {
      throw new ClientError('export_failed', `${path} is not a file.`, {
        hint: 'Name the file that the export shall become.',
      });
    }
    const folder = dirname(this.path);
    this.#temporary = join(folder, `.${basename(this.path)}.${process.pid}.tandem-export`);
  }

  /**
   * Stores what arrives and syncs it.
   *
   * @throws ClientError `export_failed`, `export_damaged` when it is not `sizeBytes` long.
   */
  async receive(chunks: AsyncIterable<Uint8Array>, sizeBytes: number): Promise<void> {
    const file = await this.#open();
    try {
      let receivedBytes = 0;
      for await (const chunk of chunks) {
        receivedBytes += chunk.length;
        await file.writeFile(chunk).catch((cause: unknown) => {
          throw cannotWrite(this.path, cause);
        });
      }
      if (receivedBytes !== sizeBytes) {
        throw damaged(`${receivedBytes} of ${sizeBytes} bytes arrived`);
      }
      await file.sync();
    } catch (cause) {
      if (cause instanceof ClientError) throw cause;
      throw damaged('the connection broke', cause);
    } finally {
      await file.close();
    }
  }

  /** @throws ClientError `export_damaged` when what was received is not a sound database. */
  async verify(check: ExportCheck): Promise<void> {
    await verifyHeader(this.#temporary);
    if (check === 'quick') quickCheck(this.#temporary);
  }

  /**
   * Puts the file in the place of the old one.
   *
   * The old file's WAL or journal must be gone before the new file bears its name, and may hold
   * transactions of the old file until then. So SQLite first brings them into the old file and
   * removes them itself; it cannot while another program has the file open, which is then said.
   *
   * @throws ClientError `export_in_use`, `export_failed`.
   */
  async commit(): Promise<void> {
    foldCompanions(this.path);
    try {
      for (const ending of COMPANION_ENDINGS) rmSync(this.path + ending, { force: true });
      await rename(this.#temporary, this.path);
      await using folder = await open(dirname(this.path), 'r');
      await folder.sync();
    } catch (cause) {
      throw cannotWrite(this.path, cause);
    }
  }

  /** Removes what has been received, if it was not committed. */
  async discard(): Promise<void> {
    await rm(this.#temporary, { force: true });
  }

  async #open(): Promise<FileHandle> {
    try {
      return await open(this.#temporary, 'w', 0o600);
    } catch (cause) {
      throw cannotWrite(this.path, cause);
    }
  }
}

async function verifyHeader(path: string): Promise<void> {
  await using file = await open(path, 'r');
  const header = Buffer.alloc(HEADER_BYTES);
  const { bytesRead } = await file.read(header, 0, HEADER_BYTES, 0);
  const { size } = await file.stat();
  if (bytesRead < HEADER_BYTES || header.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw damaged('it does not begin as a database does');
  }
  const field = header.readUInt16BE(16);
  const pageSize = field === 1 ? 65_536 : field;
  const pageCount = header.readUInt32BE(28);
  if (pageSize < 512 || size % pageSize !== 0) throw damaged('it is no whole number of pages');
  const isCountValid = header.readUInt32BE(24) === header.readUInt32BE(92);
  if (isCountValid && pageCount * pageSize !== size) {
    throw damaged(
      `its header speaks of ${pageCount} pages of ${pageSize} bytes, and it has ${size}`,
    );
  }
}

/** Immutable, so that SQLite neither looks for a WAL beside the file nor makes one. */
function quickCheck(path: string): void {
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  try {
    const database = new DatabaseSync(url, { readOnly: true });
    try {
      const rows = database.prepare('PRAGMA quick_check(1)').all();
      const verdict = String(rows[0]?.['quick_check']);
      if (verdict !== 'ok') throw damaged(verdict);
    } finally {
      database.close();
    }
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    throw damaged(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function foldCompanions(path: string): void {
  if (!existsSync(path) || !COMPANION_ENDINGS.some((ending) => existsSync(path + ending))) return;
  try {
    const database = new DatabaseSync(path, { timeout: 1000 });
    try {
      database.exec('PRAGMA journal_mode = DELETE');
    } finally {
      database.close();
    }
  } catch (cause) {
    const code = cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) & 0xff : 0;
    if (code !== SQLITE_BUSY && code !== SQLITE_LOCKED) return;
    throw new ClientError('export_in_use', `${path} is in use by another program.`, {
      cause,
      retryable: true,
      hint: 'Stop that program or export to another file; the old file is untouched.',
    });
  }
}

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;

function damaged(why: string, cause?: unknown): ClientError {
  return new ClientError('export_damaged', `What arrived is not the whole database: ${why}.`, {
    cause,
    retryable: true,
    hint: 'Repeat the export; the old file is untouched.',
  });
}

function cannotWrite(path: string, cause: unknown): ClientError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ClientError('export_failed', `${path} cannot be written: ${why}.`, {
    cause,
    hint: 'Look at the room on its disk and the rights of its folder; the old file is untouched.',
  });
}
