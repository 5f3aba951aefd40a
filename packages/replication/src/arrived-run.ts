import { assert } from '@tandem/base';
import { compactLtx, decodeLtx } from '@tandem/ltx';
import type { ArrivedLtx } from './arriving-file.ts';

/** Files of more bytes are applied as they came: making one of them would cost more than it saves. */
const RUN_BYTES_MAX = 1 << 18;

/**
 * Files that arrived one behind the other and are to be applied as one. A replica that is behind is
 * sent more files than it could sync one by one: a file made of many costs one sync, and a page that
 * many of them wrote is written once.
 */
export class ArrivedRun {
  #files: ArrivedLtx[] = [];
  #bytes = 0;
  #historyEpoch = 0;

  get fileCount(): number {
    return this.#files.length;
  }

  get byteCount(): number {
    return this.#bytes;
  }

  /**
   * Whether the file can join: it follows the last one, and nothing grows too large. Both are of one
   * epoch of the database's history, so that what one epoch wrote can be told from the next.
   */
  accepts(file: ArrivedLtx, historyEpoch: number): boolean {
    const last = this.#files.at(-1);
    if (last === undefined) return true;
    const follows = last.name === file.name && last.maxTxid + 1 === file.minTxid;
    const isOfSameTime = last.epoch === file.epoch && this.#historyEpoch === historyEpoch;
    return follows && isOfSameTime && this.#bytes + file.bytes.length <= RUN_BYTES_MAX;
  }

  add(file: ArrivedLtx, historyEpoch: number): void {
    assert(this.accepts(file, historyEpoch), 'the file follows');
    this.#files.push(file);
    this.#bytes += file.bytes.length;
    this.#historyEpoch = historyEpoch;
  }

  /**
   * All files as one; the run is then empty.
   *
   * @throws LtxError when one of them is damaged.
   */
  take(): ArrivedLtx {
    const files = this.#files;
    this.#files = [];
    this.#bytes = 0;
    const [first, last] = [files[0], files.at(-1)];
    assert(first !== undefined && last !== undefined, 'there is a file');
    if (files.length === 1) return first;
    const chunks: Uint8Array[] = [];
    const sources = files.map(({ bytes }) => decodeLtx(bytes));
    compactLtx(sources, (chunk) => chunks.push(chunk));
    return { ...last, minTxid: first.minTxid, bytes: Buffer.concat(chunks) };
  }
}
