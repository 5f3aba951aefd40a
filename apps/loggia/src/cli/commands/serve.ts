import type { CommandContext } from '../command.ts';
import { ensureDataFolder } from '../../config/data-folder.ts';
import { enableCodeCache } from '../code-cache.ts';

/** Runs the server until it is told to stop. */
export async function serve(context: CommandContext): Promise<number> {
  const configuration = context.configuration();
  ensureDataFolder(configuration.values.dataDir);
  enableCodeCache(configuration.values.dataDir);
  const { runServer } = await import('../../server/run-server.ts');
  return await runServer({ configuration });
}
