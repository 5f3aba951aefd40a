/** A text with its variables filled in, and which ones those were. */
export interface Expansion {
  readonly text: string;
  readonly variables: readonly string[];
}

/** Why a text cannot be expanded. */
export type ExpansionFault =
  | { readonly kind: 'unset'; readonly variable: string; readonly isCompared: boolean }
  | { readonly kind: 'malformed'; readonly what: string; readonly hint: string };

/** Gives a variable's value; undefined when it is not set. */
export type LookUp = (variable: string) => string | undefined;

const NAME = /^[A-Za-z_]\w*/;
const COMPARISON =
  /^(?<left>[A-Za-z_]\w*)\s*(?<operator>==|!=)\s*(?:'(?<single>[^']*)'|"(?<double>[^"]*)"|(?<right>[A-Za-z_]\w*))$/;
const DEPTH_MAX = 8;

/**
 * Fills in `$NAME`, `${NAME}`, `${NAME:-default}`, and comparisons as LiteFS has them:
 * `${NAME == 'text'}`, `${NAME != OTHER}`, which give `true` or `false`. `$$` stands for one `$`,
 * and a `$` before anything else for itself. The default, which may hold variables itself, counts
 * when the variable is not set or is empty.
 */
export function expandVariables(
  text: string,
  lookUp: LookUp,
): Expansion | { readonly fault: ExpansionFault } {
  if (!text.includes('$')) return { text, variables: [] };
  const variables = new Set<string>();
  try {
    return { text: expand(text, lookUp, variables, 0), variables: [...variables] };
  } catch (error) {
    if (error instanceof Stop) return { fault: error.fault };
    throw error;
  }
}

/** Ends an expansion from any depth; never leaves this file. */
class Stop extends Error {
  readonly fault: ExpansionFault;

  constructor(fault: ExpansionFault) {
    super(fault.kind);
    this.fault = fault;
  }
}

function expand(text: string, lookUp: LookUp, variables: Set<string>, depth: number): string {
  if (depth > DEPTH_MAX) malformed('defaults within defaults go too deep', 'Write it more simply.');
  let result = '';
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar === -1) return result + text.slice(at);
    result += text.slice(at, dollar);
    const rest = text.slice(dollar + 1);
    const name = NAME.exec(rest)?.[0];
    if (rest.startsWith('$')) {
      result += '$';
      at = dollar + 2;
    } else if (rest.startsWith('{')) {
      const end = closingBrace(text, dollar + 2);
      const inner = text.slice(dollar + 2, end).trim();
      result += expandBraces(inner, lookUp, variables, depth);
      at = end + 1;
    } else if (name !== undefined) {
      variables.add(name);
      result += valueOf(name, lookUp, false);
      at = dollar + 1 + name.length;
    } else {
      result += '$';
      at = dollar + 1;
    }
  }
  return result;
}

/** The position of the brace that ends what begins at `start`. */
function closingBrace(text: string, start: number): number {
  let depth = 1;
  for (let at = start; at < text.length; at += 1) {
    if (text.startsWith('${', at)) depth += 1;
    else if (text[at] === '}') depth -= 1;
    if (depth === 0) return at;
  }
  return malformed("'${' has no '}' after it", "Close it, or write '$$' for a dollar sign.");
}

function expandBraces(
  inner: string,
  lookUp: LookUp,
  variables: Set<string>,
  depth: number,
): string {
  const name = NAME.exec(inner)?.[0];
  const after = inner.slice(name?.length ?? 0);
  if (name !== undefined && after === '') {
    variables.add(name);
    return valueOf(name, lookUp, false);
  }
  if (name !== undefined && after.startsWith(':-')) {
    variables.add(name);
    const value = lookUp(name) ?? '';
    return value === '' ? expand(after.slice(2), lookUp, variables, depth + 1) : value;
  }
  const groups = COMPARISON.exec(inner)?.groups;
  if (groups?.['left'] !== undefined) {
    const { left, operator, single, double, right } = groups;
    variables.add(left);
    if (right !== undefined) variables.add(right);
    const compared = single ?? double ?? valueOf(right ?? '', lookUp, true);
    const isEqual = valueOf(left, lookUp, true) === compared;
    return String(isEqual === (operator === '=='));
  }
  return malformed(
    `'\${${inner}}' is not understood`,
    "Write ${NAME}, ${NAME:-default}, ${NAME == 'text'} or ${NAME != 'text'}, and '$$' for a " +
      'dollar sign.',
  );
}

function valueOf(variable: string, lookUp: LookUp, isCompared: boolean): string {
  const value = lookUp(variable);
  if (value === undefined) throw new Stop({ kind: 'unset', variable, isCompared });
  return value;
}

function malformed(what: string, hint: string): never {
  throw new Stop({ kind: 'malformed', what, hint });
}
