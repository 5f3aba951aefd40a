import { BaseError } from '@tandem/base';
import { ConfigError } from '../config/config-error.ts';
import { resolvedOrThrow } from '../config/configuration.ts';
import { readConfiguration } from '../config/read-configuration.ts';
import type { CommandContext, Invocation } from './command.ts';
import { COMMANDS } from './command-table.ts';
import { EXIT_CODES } from './exit-code.ts';
import { parseArguments, wantsJson } from './parse-arguments.ts';
import type { Terminal } from './terminal.ts';

/**
 * Runs one command line to its end.
 *
 * Results go to standard output and errors to standard error; with `--json` each is one JSON object
 * on one line, errors as `{"error":{"code","message","hint"}}`.
 *
 * @returns the exit code; it does not throw for anything that a command can meet.
 */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const invocation = parseArguments(argv);
    const run = await invocation.command.load();
    const result = await run(contextOf(invocation, terminal));
    if (typeof result === 'number') return result;
    terminal.stdout.write(invocation.isJson ? `${JSON.stringify(result.value)}\n` : result.text);
    return result.exitCode ?? EXIT_CODES.ok;
  } catch (error) {
    terminal.stderr.write(wantsJson(argv) ? errorJson(error) : errorText(error));
    return isUsage(error) ? EXIT_CODES.usage : EXIT_CODES.failure;
  }
}

function contextOf(invocation: Invocation, terminal: Terminal): CommandContext {
  const inspectConfiguration = () =>
    readConfiguration({
      flags: invocation.settings,
      configFlag: invocation.configFlag,
      env: terminal.env,
      cwd: terminal.cwd,
    });
  return {
    invocation,
    terminal,
    commands: COMMANDS,
    inspectConfiguration,
    configuration: () => resolvedOrThrow(inspectConfiguration()),
  };
}

/** Codes of errors that lie in what the user wrote. */
const USAGE_CODES = ['usage', 'bad_value', 'bad_domain', 'bad_timezone'];

function isUsage(error: unknown): boolean {
  if (error instanceof ConfigError) return true;
  return error instanceof BaseError && USAGE_CODES.includes(error.code);
}

function errorText(error: unknown): string {
  if (!(error instanceof BaseError)) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `loggia: This is a fault of the program.\n${detail}\n`;
  }
  const hint = error.hint === undefined ? '' : `${error.hint}\n`;
  return `loggia: ${error.message}\n${hint}`;
}

function errorJson(error: unknown): string {
  if (error instanceof BaseError) {
    const { code, message, hint } = error;
    return `${JSON.stringify({ error: { code, message, hint: hint ?? null } })}\n`;
  }
  const message = error instanceof Error ? error.message : String(error);
  return `${JSON.stringify({ error: { code: 'internal', message, hint: null } })}\n`;
}
