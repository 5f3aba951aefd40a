import type { FolderState, Machine } from './machine.ts';
import { resolveConfig, type ConfigReport, type ConfigSources } from './resolve-config.ts';

/** What an imagined machine has; everything else is well. */
export interface Imagination {
  readonly hostName?: string;
  readonly folders?: Readonly<Record<string, Partial<FolderState>>>;
  readonly files?: Readonly<Record<string, string>>;
  /** Programs by the word that finds them. */
  readonly programs?: readonly string[];
}

/** A machine that exists in tests only: every folder can be written, and nothing else is there. */
export function imaginedMachine(facts: Imagination = {}): Machine {
  const { hostName = 'alpha', folders = {}, files = {}, programs = ['node', 'sh'] } = facts;
  return {
    hostName,
    homeFolder: '/home/user',
    cwd: '/work',
    uid: 65_532,
    gid: 65_532,
    inspectFolder: (path) => ({
      exists: !path.endsWith('/dbs'),
      fault: null,
      fileSystem: 'local',
      ...folders[path],
    }),
    readText: (path) => {
      const text = files[path];
      return text === undefined ? { problem: 'does not exist' } : { value: text };
    },
    findProgram: (word, searchPath) =>
      programs.includes(word)
        ? { value: word.startsWith('/') ? word : `/bin/${word}` }
        : { problem: `is in none of the folders of PATH (${searchPath})` },
  };
}

/** The report on the text of a file, on an imagined machine. */
export function reportOn(
  text: string,
  rest: Partial<ConfigSources> & { readonly name?: string } = {},
): ConfigReport {
  const { name = 'tandem.yml', ...sources } = rest;
  return resolveConfig({
    file: { path: `/etc/${name}`, text },
    flags: [],
    command: null,
    env: {},
    machine: imaginedMachine(),
    ...sources,
  });
}

/** The notes of a level, each with what to do, in one line. */
export function linesOf(report: ConfigReport, level: 'error' | 'warning' | 'info'): string[] {
  return report.notes
    .filter((note) => note.level === level)
    .map(({ message, hint }) => `${message} ${hint}`.trim());
}
