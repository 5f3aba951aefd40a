import type { Site } from '@loggia/contract';
import { Journal } from '@loggia/journal';
import { ensureDataFolder } from '../config/data-folder.ts';
import { nearestName } from '../config/nearest-name.ts';
import { CommandError } from './command-error.ts';
import type { CommandContext } from './command.ts';

/**
 * Runs `run` with the journal of the configured data folder, which is made when missing. A server
 * may be running on the same folder.
 *
 * @throws ConfigError, JournalError, or what `run` throws.
 */
export async function withJournal<Result>(
  context: CommandContext,
  run: (journal: Journal, baseUrl: string) => Promise<Result> | Result,
): Promise<Result> {
  const { dataDir, baseUrl } = context.configuration().values;
  ensureDataFolder(dataDir);
  using journal = Journal.open({ folder: dataDir });
  return await run(journal, baseUrl);
}

/**
 * The site of that name in any spelling.
 *
 * @throws CommandError `not_found` with the nearest site there is.
 */
export function mustFindSite(journal: Journal, domain: string): Site {
  const site = journal.sites.byDomain(domain);
  if (site !== undefined) return site;
  const nearest = nearestName(
    domain,
    journal.sites.list().map((known) => known.domain),
  );
  throw new CommandError('not_found', `There is no site '${domain}'.`, {
    hint:
      nearest === undefined
        ? "'loggia site list' shows the sites, 'loggia site add' adds one."
        : `Did you mean ${nearest}?`,
  });
}
