import { textOf, variablesIn, type ConfigNode } from './config-node.ts';
import type { Origin } from './origin.ts';

/** A value as somebody gave it, before it is read. */
export interface GivenValue {
  /** The key as whoever gave it wrote it: `lease.hostname`, `TANDEM_HTTP_LISTEN`, `--set sync`. */
  readonly name: string;
  readonly origin: Origin;
  readonly node: ConfigNode;
}

/** How messages begin that are about a value: its name and, for a file, its place. */
export function subjectOf({ name, origin }: GivenValue): string {
  return origin.kind === 'file' ? `${name} in ${origin.file}, line ${origin.line},` : name;
}

/** The value for a message, without passwords; as it was written too if variables were filled in. */
export function quoted(given: GivenValue, isSecret = false): string {
  if (isSecret) return 'set to something';
  const text = `'${withoutPasswords(textOf(given.node))}'`;
  const { node } = given;
  if (node.kind !== 'scalar' || variablesIn(node).length === 0) return text;
  return `${text} (written '${node.written}')`;
}

/** The text with the passwords of URLs replaced. */
export function withoutPasswords(text: string): string {
  return text.replaceAll(/\/\/[^/\s@]*@/g, '//***@');
}

/** The line of the file it stands in; null elsewhere. */
export function lineOf({ origin }: GivenValue): number | null {
  return origin.kind === 'file' ? origin.line : null;
}
