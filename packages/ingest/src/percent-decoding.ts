const ESCAPES = /(?:%[0-9a-f]{2})+/gi;
const ESCAPE_LENGTH = 3;

/** Decodes the percent escapes of `text` once. Escapes that are not UTF-8 stay as they are. */
export function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replaceAll(ESCAPES, decodeRun);
  }
}

/**
 * A run of escapes, of which some may be no UTF-8. Trying each with `decodeURIComponent` would do,
 * but an exception for each of thousands of bad escapes stops the server for seconds.
 */
function decodeRun(run: string): string {
  const bytes = Buffer.from(run.replaceAll('%', ''), 'hex');
  let decoded = '';
  for (let at = 0; at < bytes.length;) {
    const byteCount = characterBytes(bytes, at);
    const end = at + Math.max(1, byteCount);
    decoded +=
      byteCount === 0
        ? run.slice(at * ESCAPE_LENGTH, end * ESCAPE_LENGTH)
        : bytes.toString('utf8', at, end);
    at = end;
  }
  return decoded;
}

/** How many bytes the UTF-8 character at `at` has, 0 when there is none (Unicode, table 3-7). */
function characterBytes(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const byteCount = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const [secondMin, secondMax] = secondByteRange(lead);
  const second = bytes[at + 1] ?? 0;
  if (second < secondMin || second > secondMax) return 0;
  for (let index = 2; index < byteCount; index += 1) {
    if (((bytes[at + index] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return byteCount;
}

/** Narrower than all continuation bytes where these would be overlong, surrogates or too large. */
function secondByteRange(lead: number): readonly [min: number, max: number] {
  if (lead === 0xe0) return [0xa0, 0xbf];
  if (lead === 0xed) return [0x80, 0x9f];
  if (lead === 0xf0) return [0x90, 0xbf];
  return lead === 0xf4 ? [0x80, 0x8f] : [0x80, 0xbf];
}
