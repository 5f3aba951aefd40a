import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { profileTable, type CpuProfile } from './cpu-profile.ts';

const ROWS_MAX = 30;

/** The text of all profiles in `folder`: one table per thread of a server. */
export function profileText(folder: string): string {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cpuprofile'))
    .sort()
    .map((name) => {
      // V8 wrote the file.
      const profile = JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile;
      return `\n${name}\n${profileTable(profile, ROWS_MAX)}`;
    })
    .join('');
}
