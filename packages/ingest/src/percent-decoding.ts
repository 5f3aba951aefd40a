const ESCAPES = /(?:%[0-9a-f]{2})+/gi;

/** Decodes the percent escapes of `text` once. Escapes that are not UTF-8 stay as they are. */
export function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replaceAll(ESCAPES, decodeRun);
  }
}

/** A run of escapes, of which some may be no UTF-8: each character that is one gets decoded. */
function decodeRun(run: string): string {
  let decoded = '';
  let at = 0;
  while (at < run.length) {
    const length = escapesLengthOf(Number.parseInt(run.slice(at + 1, at + 3), 16));
    const escapes = run.slice(at, at + length);
    const character = tryDecode(escapes);
    decoded += character ?? run.slice(at, at + 3);
    at += character === undefined ? 3 : escapes.length;
  }
  return decoded;
}

function escapesLengthOf(leadByte: number): number {
  if (leadByte < 0xc0) return 3;
  if (leadByte < 0xe0) return 6;
  return leadByte < 0xf0 ? 9 : 12;
}

function tryDecode(escapes: string): string | undefined {
  try {
    return decodeURIComponent(escapes);
  } catch {
    return undefined;
  }
}
