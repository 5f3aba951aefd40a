/**
 * `text` without half surrogates and NUL, which neither SQLite's nor DuckDB's text functions take,
 * cut to `lengthMax` UTF-16 units without splitting a character.
 */
export function cleanText(text: string, lengthMax: number): string {
  let cut = text;
  if (text.length > lengthMax) {
    const last = text.charCodeAt(lengthMax - 1);
    const splitsPair = last >= 0xd800 && last <= 0xdbff;
    cut = text.slice(0, splitsPair ? lengthMax - 1 : lengthMax);
  }
  const whole = cut.isWellFormed() ? cut : cut.toWellFormed();
  return whole.includes('\0') ? whole.replaceAll('\0', '\uFFFD') : whole;
}
