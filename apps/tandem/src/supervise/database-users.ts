import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A program that has files of a folder open. */
export interface DatabaseUser {
  readonly pid: number;
  readonly command: string;
  /** The first of the files that was found. */
  readonly path: string;
}

const COMMAND_LENGTH_MAX = 120;

/**
 * Other processes that have files below `folder` open. Only those of the same user are seen, unless
 * this one is root; none where there is no `/proc`.
 */
export function databaseUsers(folder: string): DatabaseUser[] {
  const pids = names('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.flatMap((name) => {
    const paths = names(`/proc/${name}/fd`).map((number) => target(`/proc/${name}/fd/${number}`));
    const path = paths.find((each) => each.startsWith(`${folder}/`));
    return path === undefined ? [] : [{ pid: Number(name), command: commandOf(name), path }];
  });
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // It has ended, is another user's, or there is no such folder.
    return [];
  }
}

function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

function commandOf(pid: string): string {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.join(' ').trim().slice(0, COMMAND_LENGTH_MAX);
  } catch {
    return '';
  }
}
