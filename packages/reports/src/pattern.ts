/**
 * Patterns for RE2, the engine behind DuckDB's `regexp_matches`. It runs in time linear to the
 * text, whatever the pattern.
 */

/** `text` as a pattern that matches exactly it. */
export function literalPattern(text: string): string {
  return text.replaceAll(/[\\^$.|?*+()[\]{}]/g, String.raw`\$&`);
}

/** Matches a whole text: `**` stands for anything, `*` for anything without a slash. */
export function wildcardPattern(wildcard: string): string {
  const pieces = wildcard.split(/(\*+)/).map((piece) => {
    if (piece.startsWith('**')) return '.*';
    return piece === '*' ? '[^/]*' : literalPattern(piece);
  });
  return String.raw`(?s)\A${pieces.join('')}\z`;
}

/**
 * Matches a text that is (`whole`) or contains any of `texts`, whatever their case. Both engines
 * that see such patterns fold case as Unicode's simple folding does.
 */
export function caselessPattern(texts: readonly string[], whole: boolean): string {
  const choice = `(?:${texts.map(literalPattern).join('|')})`;
  return whole ? String.raw`(?i)\A${choice}\z` : `(?i)${choice}`;
}
