import type { LtxLog } from './ltx-log.ts';
import type { LoggedFile } from './stream-source.ts';

/** A larger file of the log is not read into memory; whoever needs it compares pages. */
const FILE_BYTES_MAX = 256 << 20;

/** The file of the log that holds `txid`, to be sent; undefined when there is none, or it is too large. */
export function readLoggedFile(log: LtxLog, txid: number): LoggedFile | undefined {
  const entry = log.find(txid);
  if (entry === undefined) return undefined;
  if (log.sizeOf(entry) > FILE_BYTES_MAX) return undefined;
  const bytes = log.readFile(entry);
  return { ...entry, timestampMs: timestampOf(bytes), bytes };
}

/** When the last transaction of an LTX file was made: bytes 32 to 39 of its header. */
function timestampOf(ltx: Uint8Array): number {
  return Number(new DataView(ltx.buffer, ltx.byteOffset).getBigInt64(32));
}
