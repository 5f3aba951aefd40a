import type { ConfigNode, MapNode } from './config-node.ts';
import type { GivenValue } from './given-value.ts';

/** The values of a file by path, and those whose path leads nowhere. */
export interface FlatKeys {
  readonly known: ReadonlyMap<string, GivenValue>;
  readonly unknown: readonly GivenValue[];
  /** Plain values that stand where a section should be. */
  readonly misplaced: readonly GivenValue[];
}

/** Takes the sections of a file apart: a known key ends a path, whatever stands below it. */
export function flattenKeys(root: MapNode, file: string, keys: readonly string[]): FlatKeys {
  const ends = new Set(keys);
  const known = new Map<string, GivenValue>();
  const unknown: GivenValue[] = [];
  const misplaced: GivenValue[] = [];
  const walk = (map: MapNode, prefix: string): void => {
    for (const { key, line, node } of map.entries) {
      const path = `${prefix}${key}`;
      const given: GivenValue = { name: path, origin: { kind: 'file', file, line }, node };
      const isSection = !key.includes('.') && keys.some((end) => end.startsWith(`${path}.`));
      if (ends.has(path) && !key.includes('.')) known.set(path, given);
      else if (!isSection) unknown.push(given);
      else if (node.kind === 'map') walk(node, `${path}.`);
      else if (!isNothing(node)) misplaced.push(given);
    }
  };
  walk(root, '');
  return { known, unknown, misplaced };
}

function isNothing(node: ConfigNode): boolean {
  return node.kind === 'scalar' && !node.isPresent;
}
