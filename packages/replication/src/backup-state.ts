import {
  CHECKSUM_FLAG,
  joinUint64,
  LtxDecoder,
  LtxEncoder,
  splitUint64,
  type LtxHeader,
  type LtxPage,
} from '@tandem/ltx';

/** The rolling checksums of the database before and after a file; undefined when not known. */
export interface StateChecksums {
  readonly before: bigint | undefined;
  readonly after: bigint | undefined;
}

/** What a file says of itself and of the database. */
export interface LtxState extends StateChecksums {
  readonly header: LtxHeader;
}

/** The first frame of a log of SQLite begins here; with it, a header may have salts. */
const WAL_START_BYTES = 32;

/**
 * The header of a file as a backup has it. Litestream's `restore` refuses files that state checksums
 * of the database (its merger, `Compactor` of superfly/ltx, writes a file without and then gives it
 * the last one's). So the files of a backup state none where the format has them, and carry them in
 * fields that no reader of a backup looks at: the one after the transactions as the node id, the one
 * before them as the salts of the log.
 */
export function storedHeader(header: LtxHeader, { before, after }: StateChecksums): LtxHeader {
  const isSnapshot = header.minTxid === 1;
  const hasBefore = !isSnapshot && before !== undefined;
  const [walSalt1, walSalt2] = hasBefore ? splitUint64(before) : [0, 0];
  return {
    ...header,
    preApplyChecksum: 0n,
    walOffsetBytes: hasBefore ? WAL_START_BYTES : 0,
    walSizeBytes: 0,
    walSalt1,
    walSalt2,
    nodeId: after ?? 0n,
    isChecksummed: false,
  };
}

/**
 * The checksums of a file in a backup, whoever wrote it. `postApplyChecksum` is that of the trailer,
 * for files that have it there.
 */
export function storedChecksums(header: LtxHeader, postApplyChecksum?: bigint): StateChecksums {
  if (header.isChecksummed) {
    return { before: known(header.preApplyChecksum), after: known(postApplyChecksum ?? 0n) };
  }
  const after = known(header.nodeId);
  // Without a checksum after it, the salts are those of a log.
  const before = after === undefined ? 0n : joinUint64(header.walSalt1, header.walSalt2);
  return { before: known(before), after };
}

/** Makes the same file with another header, while it comes in. It holds a piece of it. */
export class LtxRewriter {
  readonly #decoder = new LtxDecoder();
  readonly #encoder: LtxEncoder;

  /** `header` must be without checksums. @throws LtxError */
  constructor(header: LtxHeader, write: (chunk: Uint8Array) => void) {
    this.#encoder = new LtxEncoder(header, write);
  }

  /** The next bytes of the file as it was. @throws LtxError when it is damaged */
  push(chunk: Uint8Array): void {
    for (const { pgno, data } of this.#pages(chunk)) this.#encoder.page(pgno, data);
  }

  /** The file has ended. @throws LtxError */
  finish(): void {
    this.#decoder.finish();
    this.#encoder.finish(0n);
  }

  *#pages(chunk: Uint8Array): Generator<LtxPage> {
    for (let start = 0; start < chunk.length; start += PIECE_BYTES) {
      yield* this.#decoder.push(chunk.subarray(start, start + PIECE_BYTES));
    }
  }
}

/** Empty pages take some hundred times more room when they are decompressed. */
export const PIECE_BYTES = 16 * 1024;

function known(checksum: bigint): bigint | undefined {
  return (checksum & CHECKSUM_FLAG) === 0n ? undefined : checksum;
}
