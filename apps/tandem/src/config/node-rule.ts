import type { StaticRule } from '@tandem/lease';
import type { Parsed } from './parsed.ts';

/** Which nodes may become primary. */
export type CandidateRule =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  | { readonly kind: 'ordinal'; readonly operator: Operator; readonly ordinal: number }
  | { readonly kind: 'name'; readonly operator: '==' | '!='; readonly name: string };

type Operator = '<' | '<=' | '>' | '>=' | '==' | '!=';

const ORDINAL_RULE = /^ordinal\s*(?<operator><=|>=|==|!=|<|>)\s*(?<ordinal>\d{1,6})$/;
const NAME_RULE = /^name\s*(?<operator>==|!=)\s*(?:'(?<single>[^']+)'|"(?<double>[^"]+)"|(?<bare>[\w.-]+))$/;

/** Reads `true`, `false`, `ordinal < 3`, `name == 'web-0'` and the like. */
export function parseCandidateRule(text: string): Parsed<CandidateRule> {
  const flag = parseBoolean(text);
  if ('value' in flag) return { value: { kind: flag.value ? 'all' : 'none' } };
  const ordinal = ORDINAL_RULE.exec(text)?.groups;
  if (ordinal !== undefined) {
    const operator = ordinal['operator'] as Operator;
    return { value: { kind: 'ordinal', operator, ordinal: Number(ordinal['ordinal']) } };
  }
  const named = NAME_RULE.exec(text)?.groups;
  if (named !== undefined) {
    const name = named['single'] ?? named['double'] ?? named['bare'] ?? '';
    return { value: { kind: 'name', operator: named['operator'] === '==' ? '==' : '!=', name } };
  }
  return { problem: 'is neither true or false nor a rule about the ordinal or the name' };
}

/** Whether the rule holds for the node; undefined when it asks for an ordinal the name lacks. */
export function isCandidateBy(rule: CandidateRule, nodeName: string): boolean | undefined {
  switch (rule.kind) {
    case 'all':
      return true;
    case 'none':
      return false;
    case 'name':
      return (rule.name === nodeName) === (rule.operator === '==');
    case 'ordinal': {
      const ordinal = ordinalOf(nodeName);
      return ordinal === undefined ? undefined : compares(ordinal, rule.operator, rule.ordinal);
    }
  }
}

/** Reads the name or the ordinal of the static primary. */
export function parseStaticRule(text: string): Parsed<StaticRule> {
  if (/^\d{1,6}$/.test(text)) return { value: { kind: 'ordinal', ordinal: Number(text) } };
  const name = parseNodeName(text);
  return 'problem' in name ? name : { value: { kind: 'name', name: text } };
}

/** The name that a static rule means, seen from the node `nodeName`. */
export function nameByRule(rule: StaticRule, nodeName: string): string | undefined {
  if (rule.kind === 'name') return rule.name;
  const stem = stemOf(nodeName);
  return stem === undefined ? undefined : `${stem}-${rule.ordinal}`;
}

/** N of a name that ends in `-N`, as the names of a StatefulSet's pods do. */
export function ordinalOf(nodeName: string): number | undefined {
  const digits = /^.+-(?<ordinal>\d{1,6})$/.exec(nodeName)?.groups?.['ordinal'];
  return digits === undefined ? undefined : Number(digits);
}

/** What stands before `-N`. */
export function stemOf(nodeName: string): string | undefined {
  return /^(?<stem>.+)-\d{1,6}$/.exec(nodeName)?.groups?.['stem'];
}

/** `true` or `false`; the other usual spellings are understood. */
export function parseBoolean(text: string): Parsed<boolean> {
  const word = text.toLowerCase();
  if (['true', 'yes', 'on', '1'].includes(word)) return { value: true };
  if (['false', 'no', 'off', '0'].includes(word)) return { value: false };
  return { problem: 'is neither true nor false' };
}

function compares(left: number, operator: Operator, right: number): boolean {
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    case '==':
      return left === right;
    case '!=':
      return left !== right;
  }
}
