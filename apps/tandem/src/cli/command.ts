import type { ConfigRequest } from '../config/read-config.ts';

/** A flag of a command. */
export interface Flag {
  readonly type: 'string' | 'boolean';
  readonly summary: string;
  /** May be given several times. */
  readonly multiple?: boolean;
}

/** What was given on the command line. */
export interface Invocation {
  readonly flags: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  /** The words that are no flags. */
  readonly words: readonly string[];
  /** The words after `--`; null when there is no `--`. */
  readonly command: readonly string[] | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
}

/** A command of `tandem`. */
export interface Command {
  readonly summary: string;
  /** Words and `-- COMMAND` as the help shows them. */
  readonly usage: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** How many words it takes, at least and at most. */
  readonly wordsMin: number;
  readonly wordsMax: number;
  readonly takesCommand: boolean;
  readonly run: (invocation: Invocation) => Promise<number>;
}

/** Flags with which the configuration is found. */
export const CONFIG_FLAGS = {
  config: { type: 'string', summary: 'the configuration file' },
  set: { type: 'string', multiple: true, summary: 'key=value, instead of what the file says' },
  'no-expand-env': { type: 'boolean', summary: 'leave $NAME in the file as it is' },
} as const satisfies Readonly<Record<string, Flag>>;

/** Flags with which a running node is found. */
export const NODE_FLAGS = {
  ...CONFIG_FLAGS,
  url: { type: 'string', summary: "the node's HTTP interface; by default the configured one" },
  token: { type: 'string', summary: 'the token for it; by default the configured one' },
  json: { type: 'boolean', summary: 'print JSON' },
} as const satisfies Readonly<Record<string, Flag>>;

/** What the flags say of the configuration. */
export function configRequestOf({ flags, command, env }: Invocation): ConfigRequest {
  const { config, set } = flags;
  return {
    configFlag: typeof config === 'string' ? config : null,
    flags: Array.isArray(set) ? set.map(String) : [],
    command,
    env,
    expandsVariables: flags['no-expand-env'] !== true,
  };
}

/** The text of a flag; undefined when it was not given. */
export function textOf(invocation: Invocation, name: string): string | undefined {
  const value = invocation.flags[name];
  return typeof value === 'string' ? value : undefined;
}
