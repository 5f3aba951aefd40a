const PREFERENCES_MAX = 20;

/**
 * The language that an `Accept-Language` header prefers, as its ISO 639 code in lower case: `de` for
 * `de-AT,de;q=0.9,en;q=0.5`. Regions are left out on purpose: they say little that the country does
 * not, and much about the person.
 *
 * @returns null when the header names none.
 */
export function preferredLanguage(header: string | null): string | null {
  if (header === null) return null;
  let best: string | null = null;
  let bestQuality = 0;
  for (const preference of header.split(',', PREFERENCES_MAX)) {
    const match = /^\s*([a-z]{2,3})(?:[-_][a-z0-9_-]*)?\s*(?:;\s*q\s*=\s*([\d.]+)\s*)?$/i.exec(
      preference,
    );
    if (match?.[1] === undefined) continue;
    const quality = match[2] === undefined ? 1 : Number(match[2]);
    if (quality <= bestQuality) continue;
    best = match[1].toLowerCase();
    bestQuality = quality;
  }
  return best;
}
