import { join } from 'node:path';
import { SmallFile, type FileOperations } from './small-file.ts';

/** What an emptied log goes on after. */
export interface LogBase {
  readonly txid: number;
  /** The rolling checksum of the database at that transaction; undefined when it is not known. */
  readonly checksum?: bigint | undefined;
}

/** The file's name, in the folder of the log. */
export const BASE_FILE = 'base.json';

const CHECKSUM_DIGITS = 16;
const CHECKSUM = /^[0-9a-f]{16}$/;

/** As `LogBase`, in JSON. */
interface StoredBase {
  readonly txid: number;
  readonly checksum?: string;
}

/** Keeps what an emptied log goes on after; without it, an empty folder would say 0. */
export class LogBaseFile {
  readonly #file: SmallFile<StoredBase>;

  constructor(folder: string, files: FileOperations) {
    const hint = 'Delete the file; the node then compares itself with the primary anew.';
    this.#file = new SmallFile({ path: join(folder, BASE_FILE), parse: parseStored, hint, files });
  }

  /** @throws ReplicationError `state_damaged`, `state_failed`. */
  read(): LogBase | undefined {
    const stored = this.#file.read();
    if (stored === undefined) return undefined;
    const { txid, checksum } = stored;
    return { txid, checksum: checksum === undefined ? undefined : BigInt(`0x${checksum}`) };
  }

  /** @throws ReplicationError `disk_full`, `state_failed`. */
  replace({ txid, checksum }: LogBase): void {
    const text = checksum?.toString(16).padStart(CHECKSUM_DIGITS, '0');
    this.#file.replace({ txid, ...(text === undefined ? {} : { checksum: text }) });
  }

  removeLeftover(): void {
    this.#file.removeLeftover();
  }
}

function parseStored(value: unknown): StoredBase {
  const { txid, checksum } = Object(value) as Record<string, unknown>;
  if (typeof txid !== 'number' || !Number.isSafeInteger(txid) || txid < 0) {
    throw new TypeError('it does not hold a transaction id');
  }
  if (checksum === undefined) return { txid };
  if (typeof checksum === 'string' && CHECKSUM.test(checksum)) return { txid, checksum };
  throw new TypeError('its checksum is none');
}
