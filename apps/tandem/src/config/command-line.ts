import type { ConfigNode, MapNode } from './config-node.ts';
import { nearestName } from './nearest-name.ts';
import { parseBoolean, type ParseNode } from './parse-text.ts';
import type { Parsed } from './parsed.ts';
import { parseShellWords } from './shell-words.ts';

/** On which nodes a command runs. */
export type CommandCondition = 'always' | 'if-candidate' | 'if-primary';

/** A command as it was written. */
export interface CommandLine {
  /** The program and its arguments; at least one word. */
  readonly words: readonly string[];
  readonly condition: CommandCondition;
  /** Its line in the file; 0 when it stands in none. */
  readonly line: number;
}

const KEYS = ['cmd', 'if-candidate', 'if-primary'] as const;

/** Reads one command, or a list of commands and of `{cmd, if-candidate, if-primary}`. */
export const parseCommands: ParseNode<readonly CommandLine[]> = (node) => {
  const items = node.kind === 'list' ? node.items : [node];
  const commands: CommandLine[] = [];
  for (const item of items) {
    const parsed = parseItem(item);
    if ('problem' in parsed) return parsed;
    commands.push(parsed.value);
  }
  return { value: commands };
};

function parseItem(node: ConfigNode): Parsed<CommandLine> {
  if (node.kind === 'list') return { problem: 'has a list within the list' };
  if (node.kind === 'map') return parseSection(node);
  return commandOf(node.text, 'always', node.line);
}

function parseSection(node: MapNode): Parsed<CommandLine> {
  const texts = new Map<string, string>();
  for (const { key, node: value } of node.entries) {
    if (!KEYS.some((known) => known === key)) {
      const nearest = nearestName(key, KEYS);
      const meant = nearest === undefined ? '' : ` (did you mean '${nearest}'?)`;
      return { problem: `has the unknown key '${key}'${meant} beside cmd` };
    }
    if (value.kind !== 'scalar') return { problem: `has a nested value for ${key}` };
    if (value.text.trim() === '') return { problem: `has an empty ${key}` };
    texts.set(key, value.text.trim());
  }
  const cmd = texts.get('cmd');
  if (cmd === undefined) return { problem: 'has an item without cmd' };
  const flags = new Map<string, boolean>();
  for (const key of ['if-candidate', 'if-primary']) {
    const flag = parseBoolean(texts.get(key) ?? 'false');
    if ('problem' in flag)
      return { problem: `has '${texts.get(key)}' for ${key}, which ${flag.problem}` };
    flags.set(key, flag.value);
  }
  // Whoever is primary is a candidate too.
  if (flags.get('if-primary') === true) return commandOf(cmd, 'if-primary', node.line);
  return commandOf(cmd, flags.get('if-candidate') === true ? 'if-candidate' : 'always', node.line);
}

function commandOf(text: string, condition: CommandCondition, line: number): Parsed<CommandLine> {
  const words = parseShellWords(text);
  if ('problem' in words) return words;
  return { value: { words: words.value, condition, line } };
}
