import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { backupSizeBytes, type CopyFacts } from '@loggia/journal';
import { runBackup } from '../../threads/run-backup.ts';
import { isFlagSet, operand, type CommandContext, type CommandResult } from '../command.ts';
import { megabytes } from '../megabytes.ts';
import { PartialFile } from '../partial-file.ts';
import { Progress } from '../progress.ts';

const LOOK_INTERVAL_MS = 200;
/** Reading the copy again takes about as long as writing it. */
const COPYING_SHARE = 0.5;

/** Writes a copy of the journal while the server goes on. */
export async function backup(context: CommandContext): Promise<CommandResult> {
  const { invocation, terminal } = context;
  const folder = context.configuration().values.dataDir;
  const target = resolve(terminal.cwd, operand(invocation, 0));
  const expectedBytes = backupSizeBytes(folder);
  using file = new PartialFile(target, { isReplacing: isFlagSet(invocation, 'force') });
  const facts = await file.write(
    async (partial) => await copyWithProgress(context, { folder, target: partial, expectedBytes }),
  );
  return {
    value: { file: target, ...factsValue(facts) },
    text: `Wrote ${target}: ${factsText(facts)}. It was read again and is sound.\n`,
  };
}

async function copyWithProgress(
  { terminal }: CommandContext,
  copy: { readonly folder: string; readonly target: string; readonly expectedBytes: number },
): Promise<CopyFacts> {
  const { folder, target, expectedBytes } = copy;
  using progress = new Progress(terminal);
  const timer = setInterval(() => {
    const bytes = statSync(target, { throwIfNoEntry: false })?.size ?? 0;
    const share = (COPYING_SHARE * bytes) / expectedBytes;
    progress.show(share, `${megabytes(bytes)} copied`, { step: 'copy', bytes });
  }, LOOK_INTERVAL_MS);
  try {
    return await runBackup({ folder, target }, () => {
      clearInterval(timer);
      progress.show(COPYING_SHARE, 'Reading the copy again', { step: 'check' });
    });
  } finally {
    clearInterval(timer);
  }
}

/** What a copy of a journal holds, for `--json`. */
export function factsValue({
  version,
  bytes,
  tables,
}: CopyFacts): Readonly<Record<string, unknown>> {
  return { version, bytes, tables };
}

/** What a copy of a journal holds, for people. */
export function factsText({ bytes, tables }: CopyFacts): string {
  const counted = (table: string, word: string) => {
    const count = tables[table] ?? 0;
    return `${count} ${word}${count === 1 ? '' : 's'}`;
  };
  const counts = [counted('site', 'site'), counted('user', 'user'), counted('event', 'event')];
  return `${megabytes(bytes)}, ${counts.join(', ')}`;
}
