import { resolve } from 'node:path';
import { restoreBackup } from '@loggia/journal';
import { ensureDataFolder } from '../../config/data-folder.ts';
import { isFlagSet, operand, type CommandContext, type CommandResult } from '../command.ts';
import { Progress } from '../progress.ts';
import { factsText, factsValue } from './backup.ts';

/** The steps that take long, with how far a restore has come when each is done. */
const SHARES: Readonly<Record<string, number>> = {
  'backup read': 0.4,
  'backup copied': 0.6,
  'copy read': 1,
};

/** Puts a backup in the place of the journal. */
export async function restore(context: CommandContext): Promise<CommandResult> {
  const { invocation, terminal } = context;
  const folder = context.configuration().values.dataDir;
  ensureDataFolder(folder);
  using progress = new Progress(terminal);
  const { facts, asidePath } = restoreBackup({
    source: resolve(terminal.cwd, operand(invocation, 0)),
    folder,
    isReplacing: isFlagSet(invocation, 'force'),
    onStep: (step) => {
      const share = SHARES[step];
      if (share !== undefined) progress.show(share, step, { step });
    },
  });
  const aside = asidePath === undefined ? '' : `What was there before is now ${asidePath}.\n`;
  return await Promise.resolve({
    value: { data_dir: folder, set_aside: asidePath ?? null, ...factsValue(facts) },
    text: `Restored ${folder}: ${factsText(facts)}.\n${aside}`,
  });
}
