import type { Command, CommandFlag } from './command.ts';

const IMPORT_DETAILS =
  'Cut off at any moment, the same command goes on where it was. A file that was imported before is ' +
  'known by its content; of one that has grown, what is new is taken.';

const IMPORT_SITE: CommandFlag = { value: 'DOMAIN', summary: 'The site that it is about. Needed.' };

/** Export, imports, backup and restore. */
export const TRANSFER_COMMANDS: readonly Command[] = [
  {
    words: ['export'],
    summary:
      'Write events with their visits as CSV, NDJSON or Parquet, also while the server runs.',
    operands: [],
    flags: {
      format: { value: 'FORMAT', summary: 'csv, ndjson or parquet. Needed.' },
      site: { value: 'DOMAIN', isRepeatable: true, summary: 'This site; all when left out.' },
      from: { value: 'DATE', summary: "Visits from this day of the site's on, YYYY-MM-DD." },
      to: { value: 'DATE', summary: 'Visits up to the end of this day.' },
      output: { value: 'FILE', summary: 'Write this file; standard output when left out.' },
      force: { value: null, summary: 'Overwrite the file.' },
    },
    settings: 'site',
    details: 'A file gets its name only when it is whole.',
    example: 'loggia export --format parquet --site example.org --output 2026.parquet',
    load: async () => (await import('./commands/export.ts')).exportEvents,
  },
  {
    words: ['import', 'loggia'],
    summary: "Import what 'loggia export' wrote: the same events, visits and numbers.",
    operands: ['FILE...'],
    flags: {
      site: { value: 'DOMAIN', summary: 'Import all rows into this site.' },
      'add-sites': { value: null, summary: 'Add the sites that are missing here.' },
      'bad-lines': badLines(0),
    },
    settings: 'site',
    details: IMPORT_DETAILS,
    example: 'loggia import loggia 2025.csv.gz 2026.parquet --add-sites',
    load: async () => (await import('./commands/import-loggia.ts')).importLoggia,
  },
  {
    words: ['import', 'access-log'],
    summary:
      "Import web servers' access logs: combined format, or JSON lines of Caddy, nginx, Traefik.",
    operands: ['FILE...'],
    flags: {
      site: IMPORT_SITE,
      host: {
        value: 'HOST',
        isRepeatable: true,
        summary:
          "Requests to this host are the site's too, beside its domain and what is below that.",
      },
      'bad-lines': badLines(100),
    },
    settings: 'site',
    details: IMPORT_DETAILS,
    example: 'loggia import access-log access.log access.log.1 access.log.2.gz --site example.org',
    load: async () => (await import('./commands/import-hits.ts')).importAccessLog,
  },
  {
    words: ['import', 'umami'],
    summary: "Import rows of Umami's table website_event as CSV.",
    operands: ['FILE...'],
    flags: {
      site: IMPORT_SITE,
      website: { value: 'UUID', summary: 'The website there, when the file has several.' },
      'bad-lines': badLines(0),
    },
    settings: 'site',
    details: IMPORT_DETAILS,
    example: 'loggia import umami website_event.csv --site example.org',
    load: async () => (await import('./commands/import-hits.ts')).importUmami,
  },
  {
    words: ['import', 'goatcounter'],
    summary: "Import GoatCounter's export as CSV, version 2.",
    operands: ['FILE...'],
    flags: { site: IMPORT_SITE, 'bad-lines': badLines(0) },
    settings: 'site',
    details: IMPORT_DETAILS,
    example: 'loggia import goatcounter goatcounter-export.csv.gz --site example.org',
    load: async () => (await import('./commands/import-hits.ts')).importGoatcounter,
  },
  {
    words: ['backup'],
    summary: 'Write a copy of everything but the salts into a file, also while the server runs.',
    operands: ['FILE'],
    flags: { force: { value: null, summary: 'Overwrite FILE.' } },
    settings: 'site',
    details:
      'The copy is read again as a whole before it gets its name. It holds password hashes: only ' +
      'its owner may read it.',
    example: 'loggia backup /var/backups/loggia.db',
    load: async () => (await import('./commands/backup.ts')).backup,
  },
  {
    words: ['restore'],
    summary: "Put a backup in the place of the data folder's journal, while no server runs.",
    operands: ['FILE'],
    flags: {
      force: { value: null, summary: 'Set a journal that is there aside, under quarantine/.' },
    },
    settings: 'site',
    details:
      'The backup is read as a whole before anything is touched. Cut off at any moment, it can be ' +
      'run again.',
    example: 'loggia restore /var/backups/loggia.db --force',
    load: async () => (await import('./commands/restore.ts')).restore,
  },
];

function badLines(byDefault: number): CommandFlag {
  return {
    value: 'NUMBER',
    summary: `Lines that cannot be understood and may be left out; ${byDefault} when left out.`,
  };
}
