import type { ConfigNode, MapNode, ScalarNode } from './config-node.ts';
import { expandVariables, type ExpansionFault, type LookUp } from './expansion.ts';
import type { Findings } from './findings.ts';

/** What the variables of a file are filled in with. */
export interface ExpansionSources {
  readonly file: string;
  readonly lookUp: LookUp;
}

/**
 * The tree with the variables of its values filled in; keys and comments are left alone. A value
 * that cannot be filled in is left out together with its key, and reported with key and line.
 */
export function expandTree(root: MapNode, from: ExpansionSources, findings: Findings): MapNode {
  return expandMap(root, '', from, findings);
}

function expandMap(
  map: MapNode,
  path: string,
  from: ExpansionSources,
  findings: Findings,
): MapNode {
  const entries = map.entries.flatMap((entry) => {
    const entryPath = path === '' ? entry.key : `${path}.${entry.key}`;
    const node = expandNode(entry.node, entryPath, from, findings);
    return node === undefined ? [] : [{ ...entry, node }];
  });
  return { ...map, entries };
}

function expandNode(
  node: ConfigNode,
  path: string,
  from: ExpansionSources,
  findings: Findings,
): ConfigNode | undefined {
  switch (node.kind) {
    case 'map':
      return expandMap(node, path, from, findings);
    case 'list': {
      const items = node.items.map((item) => expandNode(item, path, from, findings));
      const kept = items.filter((item) => item !== undefined);
      return kept.length === items.length ? { ...node, items: kept } : undefined;
    }
    case 'scalar':
      return expandScalar(node, path, from, findings);
  }
}

function expandScalar(
  node: ScalarNode,
  path: string,
  { file, lookUp }: ExpansionSources,
  findings: Findings,
): ScalarNode | undefined {
  const expansion = expandVariables(node.text, lookUp);
  if ('text' in expansion) return { ...node, ...expansion };
  const given = { name: path, origin: { kind: 'file', file, line: node.line }, node } as const;
  const where = `${path} in ${file}, line ${node.line},`;
  const { fault } = expansion;
  if (fault.kind === 'malformed') {
    findings.error(
      'config_bad_value',
      given,
      `${where} is '${node.written}', in which ${fault.what}.`,
      fault.hint,
    );
  } else {
    findings.error(
      'config_unset_variable',
      given,
      `${where} uses the variable ${fault.variable}, which is not set.`,
      unsetHint(fault),
    );
  }
  return undefined;
}

function unsetHint({ variable, isCompared }: Extract<ExpansionFault, { kind: 'unset' }>): string {
  if (isCompared)
    return `Set ${variable}, to an empty value if need be, or write the answer itself.`;
  return (
    `Set ${variable}, or give a default: '\${${variable}:-VALUE}'. ` +
    "A dollar sign that begins no variable is written '$$'."
  );
}
