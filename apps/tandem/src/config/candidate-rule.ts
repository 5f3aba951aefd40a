import { ordinalOf } from './node-name.ts';
import { parseBoolean } from './parse-text.ts';
import type { Parsed } from './parsed.ts';

/** Which nodes may become primary. */
export type CandidateRule =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  | { readonly kind: 'ordinal'; readonly operator: Operator; readonly ordinal: number }
  | { readonly kind: 'name'; readonly operator: '==' | '!='; readonly name: string };

type Operator = '<' | '<=' | '>' | '>=' | '==' | '!=';

const ORDINAL_RULE = /^ordinal\s*(?<operator><=|>=|==|!=|<|>)\s*(?<ordinal>\d{1,6})$/;
const NAME_RULE =
  /^name\s*(?<operator>==|!=)\s*(?:'(?<single>[^']+)'|"(?<double>[^"]+)"|(?<bare>[\w.-]+))$/;

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
