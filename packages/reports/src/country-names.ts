const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');

/** English names of countries by ISO 3166-1 alpha-2 code, from the runtime's own data. */
export const COUNTRY_NAMES: ReadonlyMap<string, string> = readCountryNames();

function readCountryNames(): ReadonlyMap<string, string> {
  const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
  const codes = LETTERS.flatMap((first) => LETTERS.map((second) => first + second));
  const known = new Map<string, string>();
  for (const code of codes) {
    const name = names.of(code);
    if (name !== undefined) known.set(code, name);
  }
  return known;
}
