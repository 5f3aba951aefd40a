import type { NodeIdentity } from './node-identity.ts';

/** One member per name, in the order of names; the first list wins. */
export function mergedMembers(
  first: readonly NodeIdentity[],
  second: readonly NodeIdentity[],
): NodeIdentity[] {
  const byName = new Map(second.map((member) => [member.name, member]));
  for (const member of first) byName.set(member.name, member);
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
