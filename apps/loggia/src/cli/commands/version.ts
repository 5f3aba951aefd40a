import { readFileSync } from 'node:fs';
import type { CommandContext, CommandResult } from '../command.ts';

/** Prints the versions of Loggia and of what it runs on. */
export async function version(_context: CommandContext): Promise<CommandResult> {
  const value = {
    version: programVersion(),
    node: process.versions.node,
    sqlite: process.versions['sqlite'] ?? null,
    platform: `${process.platform}-${process.arch}`,
  };
  return { value, text: `loggia ${value.version} (Node.js ${value.node}, ${value.platform})\n` };
}

/** The version in this package's manifest. */
export function programVersion(): string {
  const manifest = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return version;
}
