import { ImportError } from './import-error.ts';

/** Records that ended, and the bytes of all of them with their line ends. */
export interface SplitRecords {
  readonly records: readonly string[];
  readonly bytes: Uint8Array;
}

const RECORD_BYTES_MAX = 4 * 1024 * 1024;
const LINE_FEED = 0x0a;
const QUOTE = 0x22;
const BYTE_ORDER_MARK = '\uFEFF';
const NO_BYTES = Buffer.alloc(0);

/**
 * Divides bytes into records, which end with a line feed. With `hasQuotes` a line feed between
 * quotation marks is part of a record, as in CSV.
 */
export class RecordSplitter {
  readonly #hasQuotes: boolean;
  #rest: Buffer = NO_BYTES;
  #isFirst = true;

  constructor(options: { readonly hasQuotes: boolean }) {
    this.#hasQuotes = options.hasQuotes;
  }

  /** @throws ImportError `import_bad_file` for a record without end. */
  push(chunk: Uint8Array): SplitRecords {
    const data = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    const ends = this.#hasQuotes ? quotedEnds(data) : plainEnds(data);
    const end = (ends.at(-1) ?? -1) + 1;
    this.#rest = data.subarray(end);
    if (this.#rest.length > RECORD_BYTES_MAX) {
      throw new ImportError('import_bad_file', 'A line is longer than four megabytes', {
        hint: 'The file is not text of the kind that was named, or a quotation mark is missing.',
      });
    }
    let start = 0;
    const records = ends.map((position) => {
      const record = this.#textOf(data.subarray(start, position));
      start = position + 1;
      return record;
    });
    return { records, bytes: data.subarray(0, end) };
  }

  /** What came after the last line feed. */
  end(): SplitRecords {
    const bytes = this.#rest;
    this.#rest = NO_BYTES;
    return { records: bytes.length === 0 ? [] : [this.#textOf(bytes)], bytes };
  }

  #textOf(bytes: Buffer): string {
    let text = bytes.toString('utf8');
    if (this.#isFirst && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
    this.#isFirst = false;
    return text.endsWith('\r') ? text.slice(0, -1) : text;
  }
}

function plainEnds(data: Buffer): number[] {
  const ends: number[] = [];
  for (let end = data.indexOf(LINE_FEED); end !== -1; end = data.indexOf(LINE_FEED, end + 1)) {
    ends.push(end);
  }
  return ends;
}

function quotedEnds(data: Buffer): number[] {
  const ends: number[] = [];
  let quote = data.indexOf(QUOTE);
  let isOpen = false;
  for (let end = data.indexOf(LINE_FEED); end !== -1; end = data.indexOf(LINE_FEED, end + 1)) {
    while (quote !== -1 && quote < end) {
      isOpen = !isOpen;
      quote = data.indexOf(QUOTE, quote + 1);
    }
    if (!isOpen) ends.push(end);
  }
  return ends;
}
