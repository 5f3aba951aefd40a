const HEADERS_END = '\r\n\r\n';
/** Servers differ in how they write the name of Content-Length. */
const LENGTH_NAME_END = 'ength: ';
const STATUS_AT = 9;

/**
 * Reads the answers of one connection on which never more than one request is under way. It knows
 * only what it needs: the status, and the length that every answer must tell.
 */
export class AnswerReader {
  #begun: Buffer | undefined;

  /** The status when `chunk` completes an answer, else undefined. */
  read(chunk: Buffer): number | undefined {
    const bytes = this.#begun === undefined ? chunk : Buffer.concat([this.#begun, chunk]);
    const headersEnd = bytes.indexOf(HEADERS_END);
    if (headersEnd === -1 || bytes.length < answerLength(bytes, headersEnd)) {
      this.#begun = bytes;
      return undefined;
    }
    this.#begun = undefined;
    return Number(bytes.toString('latin1', STATUS_AT, STATUS_AT + 3));
  }
}

function answerLength(bytes: Buffer, headersEnd: number): number {
  const nameEnd = bytes.indexOf(LENGTH_NAME_END);
  if (nameEnd === -1 || nameEnd > headersEnd)
    throw new Error('An answer does not tell its length.');
  const valueStart = nameEnd + LENGTH_NAME_END.length;
  const valueEnd = bytes.indexOf('\r', valueStart);
  const bodyLength = Number(bytes.toString('latin1', valueStart, valueEnd));
  return headersEnd + HEADERS_END.length + bodyLength;
}
