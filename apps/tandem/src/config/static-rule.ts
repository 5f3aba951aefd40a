import type { StaticRule } from '@tandem/lease';
import { parseNodeName, stemOf } from './node-name.ts';
import type { Parsed } from './parsed.ts';

/** Reads the name or the ordinal of the static primary. */
export function parseStaticRule(text: string): Parsed<StaticRule> {
  if (/^\d{1,6}$/.test(text)) return { value: { kind: 'ordinal', ordinal: Number(text) } };
  const name = parseNodeName(text);
  return 'problem' in name ? name : { value: { kind: 'name', name: name.value } };
}

/** The name that a static rule means, seen from the node `nodeName`. */
export function nameByRule(rule: StaticRule, nodeName: string): string | undefined {
  if (rule.kind === 'name') return rule.name;
  const stem = stemOf(nodeName);
  return stem === undefined ? undefined : `${stem}-${rule.ordinal}`;
}
