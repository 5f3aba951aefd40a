import { createHash } from 'node:crypto';

/** The SHA-256 of the first so many bytes of a content, in hex. */
export interface PrefixDigest {
  readonly bytes: number;
  readonly sha256: string;
}

/** The SHA-256 of a content that comes in pieces, also of its beginnings up to given marks. */
export class ContentDigest {
  readonly #hash = createHash('sha256');
  readonly #marks: readonly number[];
  readonly #marked: PrefixDigest[] = [];
  #bytes = 0;

  /** `marks` are lengths, in any order. */
  constructor(marks: readonly number[]) {
    this.#marks = [...new Set(marks)].sort((left, right) => left - right);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The beginnings that were marked and have come to their end so far. */
  get marked(): readonly PrefixDigest[] {
    return this.#marked;
  }

  update(piece: Uint8Array): void {
    let rest = piece;
    for (;;) {
      const mark = this.#marks[this.#marked.length];
      if (mark === undefined || mark > this.#bytes + rest.length) break;
      const length = mark - this.#bytes;
      this.#add(rest.subarray(0, length));
      rest = rest.subarray(length);
      this.#marked.push({ bytes: mark, sha256: this.sha256() });
    }
    this.#add(rest);
  }

  /** Of all that has come so far. */
  sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  #add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }
}
