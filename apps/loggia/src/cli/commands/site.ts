import type { Site } from '@loggia/contract';
import { confirmDeletion } from '../confirm.ts';
import { flagValue, operand, type CommandContext, type CommandResult } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { mustFindSite, withJournal } from '../open-journal.ts';
import { siteSettingsOf } from '../site-settings-flags.ts';
import { snippetOf } from '../snippet.ts';
import { tableText } from '../table-text.ts';
import { parseTimeZone } from '../time-zone.ts';

const PURGE_ROWS = 20_000;

/** Adds a site. */
export async function addSite(context: CommandContext): Promise<CommandResult> {
  const { invocation, terminal } = context;
  const timezone = parseTimeZone(flagValue(invocation, 'timezone') ?? 'UTC');
  const settings = siteSettingsOf(invocation);
  return await withJournal(context, (journal, baseUrl) => {
    const site = journal.sites.create({
      domain: operand(invocation, 0),
      timezone,
      settings,
      nowMs: terminal.nowMs(),
    });
    return siteResult(site, baseUrl, `Added ${site.domain} (${site.timezone}).`);
  });
}

/** Lists the sites by name. */
export async function listSites(context: CommandContext): Promise<CommandResult> {
  return await withJournal(context, (journal, baseUrl) => {
    const sites = journal.sites.list();
    const rows = sites.map((site) => [site.domain, site.timezone, dayOf(site.createdMs)]);
    const headings = ['Site', 'Time zone', 'Added'].map((heading) => ({ heading }));
    return {
      value: { sites: sites.map((site) => siteValue(site, baseUrl)) },
      text:
        sites.length === 0
          ? "There is no site yet; 'loggia site add example.org' adds one.\n"
          : tableText(headings, rows),
    };
  });
}

/** Changes what the flags name. */
export async function updateSite(context: CommandContext): Promise<CommandResult> {
  const zone = flagValue(context.invocation, 'timezone');
  const timezone = zone === undefined ? undefined : parseTimeZone(zone);
  const settings = siteSettingsOf(context.invocation);
  if (timezone === undefined && Object.keys(settings).length === 0) {
    throw new CommandError('usage', 'Nothing is to be changed.', {
      hint: "'loggia help site update' lists what can be.",
    });
  }
  return await withJournal(context, (journal, baseUrl) => {
    const { id } = mustFindSite(journal, operand(context.invocation, 0));
    const change = timezone === undefined ? { settings } : { settings, timezone };
    const site = journal.sites.update(id, change);
    return siteResult(site, baseUrl, `Changed ${site.domain}.`);
  });
}

/** Prints nothing but the snippet, so that it can be piped. */
export async function printSnippet(context: CommandContext): Promise<CommandResult> {
  return await withJournal(context, (journal, baseUrl) => {
    const site = mustFindSite(journal, operand(context.invocation, 0));
    const snippet = snippetOf(site, baseUrl);
    return { value: { domain: site.domain, snippet }, text: `${snippet}\n` };
  });
}

/** Removes a site and, step by step, all its rows. Cut off anywhere, the server goes on with it. */
export async function removeSite(context: CommandContext): Promise<CommandResult> {
  return await withJournal(context, async (journal) => {
    const site = mustFindSite(journal, operand(context.invocation, 0));
    await confirmDeletion(context, `The site ${site.domain} with all its numbers`, site.domain);
    journal.sites.remove(site.id, context.terminal.nowMs());
    while (journal.sites.purgeStep(PURGE_ROWS) > 0);
    return { value: { removed: site.domain }, text: `Removed ${site.domain}.\n` };
  });
}

function siteResult(site: Site, baseUrl: string, headline: string): CommandResult {
  const snippet = snippetOf(site, baseUrl);
  return {
    value: siteValue(site, baseUrl),
    text: `${headline}\nPut this line into the head of its pages:\n\n${snippet}\n`,
  };
}

function siteValue(site: Site, baseUrl: string) {
  const { settings } = site;
  return {
    domain: site.domain,
    timezone: site.timezone,
    created_at: new Date(site.createdMs).toISOString(),
    script_id: site.scriptId,
    snippet: snippetOf(site, baseUrl),
    settings: {
      allowed_hosts: settings.allowedHosts,
      excluded_pages: settings.excludedPages,
      excluded_addresses: settings.excludedAddresses,
      custom_properties: settings.customProperties,
      features: settings.scriptFeatures,
      honour_opt_out: settings.honourOptOut,
      drop_datacentre: settings.dropDatacentre,
      retention_days: settings.retentionDays,
      keep_rollups: settings.keepRollups,
    },
  };
}

function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
