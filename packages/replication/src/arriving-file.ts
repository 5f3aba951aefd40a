import { HEADER_BYTES, LtxDecoder, TRAILER_BYTES, type LtxHeader } from '@tandem/ltx';
import { outOfPlace, streamError, type StreamMessageOf } from './stream-message.ts';

/** A file of the primary's log that is here, whole. */
export interface WholeFile {
  readonly name: string;
  readonly minTxid: number;
  readonly maxTxid: number;
  readonly timestampMs: number;
  readonly bytes: Uint8Array;
}

/** Puts the parts of the file that is under way together. */
export class ArrivingFile {
  #start: StreamMessageOf<'ltx'> | undefined;
  #parts: Uint8Array[] = [];
  #missingBytes = 0;

  /**
   * Takes the message a file begins with. @returns the file when that was all of it
   *
   * @throws BaseError `stream_bad_message` when it is out of place or longer than `bytesMax`.
   */
  begin(start: StreamMessageOf<'ltx'>, bytesMax: number): WholeFile | undefined {
    const { minTxid, maxTxid, totalBytes } = start;
    const isSound = maxTxid >= minTxid && totalBytes <= bytesMax;
    if (this.#start !== undefined || !isSound) throw outOfPlace('ltx');
    this.#start = start;
    this.#missingBytes = totalBytes;
    return this.add(start.bytes);
  }

  /** Takes the next part. @returns the file when that was the last one; throws as `begin` does */
  add(bytes: Uint8Array): WholeFile | undefined {
    const start = this.#start;
    if (start === undefined || bytes.length > this.#missingBytes) throw outOfPlace('part');
    if (bytes.length === 0) throw outOfPlace('part');
    this.#parts.push(bytes);
    this.#missingBytes -= bytes.length;
    if (this.#missingBytes > 0) return undefined;
    const whole = this.#parts.length === 1 ? bytes : Buffer.concat(this.#parts);
    this.#start = undefined;
    this.#parts = [];
    const { name, minTxid, maxTxid, timestampMs } = start;
    mustSpan(whole, minTxid, maxTxid);
    return { name, minTxid, maxTxid, timestampMs, bytes: whole };
  }
}

function mustSpan(ltx: Uint8Array, minTxid: number, maxTxid: number): void {
  const header = tryHeader(ltx);
  if (header?.minTxid === minTxid && header.maxTxid === maxTxid) return;
  const found =
    header === undefined ? 'is no LTX file' : `holds ${header.minTxid} to ${header.maxTxid}`;
  const message = `What was announced as transactions ${minTxid} to ${maxTxid} ${found}.`;
  throw streamError('stream_bad_message', message);
}

/** The header of the file; undefined when it is none. The sink verifies the rest. */
function tryHeader(ltx: Uint8Array): LtxHeader | undefined {
  const decoder = new LtxDecoder();
  try {
    decoder.push(ltx.subarray(0, HEADER_BYTES + TRAILER_BYTES));
    return decoder.header;
  } catch {
    return undefined;
  }
}
