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
  #whole: Uint8Array = new Uint8Array();
  #heldBytes = 0;

  /**
   * Takes the message a file begins with. @returns the file when that was all of it
   *
   * @throws BaseError `stream_bad_message` when it is out of place or longer than `bytesMax`.
   */
  begin(start: StreamMessageOf<'ltx'>, bytesMax: number): WholeFile | undefined {
    const { minTxid, maxTxid, totalBytes, bytes } = start;
    const isSound = maxTxid >= minTxid && totalBytes <= bytesMax;
    if (this.#start !== undefined || !isSound || bytes.length === 0) throw outOfPlace('ltx');
    if (bytes.length === totalBytes) return wholeOf(start, bytes);
    this.#start = start;
    this.#whole = Buffer.allocUnsafeSlow(totalBytes);
    this.#heldBytes = 0;
    return this.add(bytes);
  }

  /** Takes a copy of the next part. @returns the file when that was the last one; throws as `begin` does */
  add(bytes: Uint8Array): WholeFile | undefined {
    const start = this.#start;
    const isInPlace = bytes.length > 0 && this.#heldBytes + bytes.length <= this.#whole.length;
    if (start === undefined || !isInPlace) throw outOfPlace('part');
    this.#whole.set(bytes, this.#heldBytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes < this.#whole.length) return undefined;
    const whole = this.#whole;
    this.#start = undefined;
    this.#whole = new Uint8Array();
    return wholeOf(start, whole);
  }
}

function wholeOf(start: StreamMessageOf<'ltx'>, bytes: Uint8Array): WholeFile {
  const { name, minTxid, maxTxid, timestampMs } = start;
  mustSpan(bytes, minTxid, maxTxid);
  return { name, minTxid, maxTxid, timestampMs, bytes };
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
