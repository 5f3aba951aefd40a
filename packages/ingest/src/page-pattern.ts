/**
 * Whether `page` as a whole fits `pattern`: `*` is anything within a segment, `**` anything across
 * segments, everything else itself. A final slash of the page may be left out of the pattern, as in
 * the tracker's own exclusions. The time is bounded by the product of the lengths: no pattern is
 * turned into a regular expression, which some would make run for ever.
 */
export function matchesPage(pattern: string, page: string): boolean {
  if (matchesWhole(pattern, page)) return true;
  return page.endsWith('/') && matchesWhole(pattern, page.slice(0, -1));
}

/**
 * The usual matching with one way back per kind of star: when a character does not fit, the last
 * `*` takes one more, and when that meets a slash, the last `**` does.
 */
function matchesWhole(pattern: string, page: string): boolean {
  let patternAt = 0;
  let pageAt = 0;
  let starAt = -1;
  let starPageAt = 0;
  let deepAt = -1;
  let deepPageAt = 0;
  while (pageAt < page.length || patternAt < pattern.length) {
    if (pattern.startsWith('**', patternAt)) {
      while (pattern[patternAt] === '*') patternAt += 1;
      deepAt = patternAt;
      deepPageAt = pageAt;
      starAt = -1;
    } else if (pattern[patternAt] === '*') {
      patternAt += 1;
      starAt = patternAt;
      starPageAt = pageAt;
    } else if (pageAt < page.length && pattern[patternAt] === page[pageAt]) {
      patternAt += 1;
      pageAt += 1;
    } else if (starAt !== -1 && starPageAt < page.length && page[starPageAt] !== '/') {
      starPageAt += 1;
      pageAt = starPageAt;
      patternAt = starAt;
    } else if (deepAt !== -1 && deepPageAt < page.length) {
      deepPageAt += 1;
      pageAt = deepPageAt;
      patternAt = deepAt;
      starAt = -1;
    } else {
      return false;
    }
  }
  return true;
}
