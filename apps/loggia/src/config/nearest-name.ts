/** Shorter beginnings say too little. */
const PREFIX_LENGTH_MIN = 4;

/**
 * The one of `names` that is most like `text`, or undefined when none is near enough to be what was
 * meant. Case and the difference between `-` and `_` do not count.
 */
export function nearestName(text: string, names: readonly string[]): string | undefined {
  const wanted = folded(text);
  let nearest: string | undefined;
  let distanceMin = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(wanted, folded(name));
    if (distance >= distanceMin) continue;
    nearest = name;
    distanceMin = distance;
  }
  return nearest ?? beginningWith(wanted, names);
}

/** The one name that begins much like `wanted`, which may have been cut short. */
function beginningWith(wanted: string, names: readonly string[]): string | undefined {
  if (wanted.length < PREFIX_LENGTH_MIN) return undefined;
  const near = names.filter((name) => {
    const starts = [-1, 0, 1].map((more) => folded(name).slice(0, wanted.length + more));
    return starts.some((start) => editDistance(wanted, start) <= Math.floor(wanted.length / 4));
  });
  return near.length === 1 ? near[0] : undefined;
}

/**
 * The least number of insertions, deletions, replacements and swaps of neighbours that turn `source`
 * into `target`.
 */
export function editDistance(source: string, target: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: target.length + 1 }, (_, index) => index);
  for (let row = 1; row <= source.length; row++) {
    const current = [row];
    for (let column = 1; column <= target.length; column++) {
      const same = source[row - 1] === target[column - 1];
      let distance = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      const swapped =
        source[row - 1] === target[column - 2] && source[row - 2] === target[column - 1];
      if (row > 1 && column > 1 && swapped) {
        distance = Math.min(distance, at(beforeLast, column - 2) + 1);
      }
      current.push(distance);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, target.length);
}

function at(distances: readonly number[], index: number): number {
  return distances[index] ?? 0;
}

function folded(text: string): string {
  return text.toLowerCase().replaceAll('-', '_');
}
