/**
 * The one of `names` most like `text`, or undefined when none is near enough to be meant. Case and
 * the difference between `-` and `_` do not count.
 */
export function nearestName(text: string, names: readonly string[]): string | undefined {
  const wanted = folded(text);
  let nearest: string | undefined;
  let distanceMin = Math.max(2, Math.floor(wanted.length / 4)) + 1;
  for (const name of names) {
    const distance = editDistance(wanted, folded(name), distanceMin);
    if (distance >= distanceMin) continue;
    nearest = name;
    distanceMin = distance;
  }
  return nearest;
}

/** Insertions, deletions and replacements between two texts; `cap` or more is not told apart. */
function editDistance(source: string, target: string, cap: number): number {
  if (Math.abs(source.length - target.length) >= cap) return cap;
  let row = Array.from({ length: target.length + 1 }, (_, index) => index);
  for (let index = 0; index < source.length; index += 1) {
    const next = [index + 1];
    for (let column = 1; column <= target.length; column += 1) {
      const replaced = (row[column - 1] ?? cap) + (target[column - 1] === source[index] ? 0 : 1);
      next.push(Math.min((row[column] ?? cap) + 1, (next[column - 1] ?? cap) + 1, replaced));
    }
    row = next;
  }
  return row[target.length] ?? cap;
}

function folded(text: string): string {
  return text.toLowerCase().replaceAll('_', '-');
}
