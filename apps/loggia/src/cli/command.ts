import type { Configuration, ConfigurationReport } from '../config/configuration.ts';
import type { Terminal } from './terminal.ts';

/** A flag of one command. */
export interface CommandFlag {
  /** What stands for the value in the help text, or null for a switch. */
  readonly value: string | null;
  readonly summary: string;
  readonly isRepeatable?: boolean;
}

/** A command of the command line, as data: parsing, help and documentation go by it. */
export interface Command {
  /** `['site', 'add']`. */
  readonly words: readonly string[];
  readonly summary: string;
  /** Names of the arguments, all needed; one in brackets may be left out, `...` takes the rest. */
  readonly operands: readonly string[];
  readonly flags: Readonly<Record<string, CommandFlag>>;
  /** Which settings of the configuration have flags here. */
  readonly settings: 'all' | 'site' | 'none';
  /** Further sentences for the help text. */
  readonly details?: string;
  readonly example: string;
  /** Brings the command's code in only when it is to run. */
  load(): Promise<CommandRun>;
}

/** What the user asked for, taken apart. */
export interface Invocation {
  readonly command: Command;
  readonly operands: readonly string[];
  /** Values by flag name; a switch that is on has one empty value. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** Text by the setting's name. */
  readonly settings: Readonly<Record<string, string>>;
  /** The file named by `--config`. */
  readonly configFlag: string | null;
  readonly isJson: boolean;
}

/** All that a command runs with. */
export interface CommandContext {
  readonly invocation: Invocation;
  readonly terminal: Terminal;
  /** All commands there are. */
  readonly commands: readonly Command[];
  /** @throws ConfigError when anything is wrong with the configuration. */
  configuration(): Configuration;
  /** The configuration with all that is wrong with it. */
  inspectConfiguration(): ConfigurationReport;
}

/** What a command has to say: `value` in JSON mode, `text` otherwise. */
export interface CommandResult {
  readonly value: Readonly<Record<string, unknown>>;
  /** Lines for people, ending with a line feed unless empty. */
  readonly text: string;
  readonly exitCode?: number;
}

/** Runs a command. A number is the exit code of one that has done its own printing. */
export type CommandRun = (context: CommandContext) => Promise<CommandResult | number>;

/** The last value of a flag, or undefined. */
export function flagValue(invocation: Invocation, name: string): string | undefined {
  return invocation.flags.get(name)?.at(-1);
}

/** Whether a switch is on. */
export function isFlagSet(invocation: Invocation, name: string): boolean {
  return invocation.flags.has(name);
}

/** The argument at `index`, which the command's table says must be there. */
export function operand(invocation: Invocation, index: number): string {
  return invocation.operands[index] ?? '';
}
