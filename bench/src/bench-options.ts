import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Names of workloads, those meant by the first part of a name included; none means all. */
  readonly names: readonly string[];
  readonly quick: boolean;
  readonly profile: boolean;
  readonly list: boolean;
  /** Events of the sealed year that the archive's workloads ask; undefined: a million. */
  readonly archiveEvents: number | undefined;
  /** Where data folders are made; undefined: beside the results. */
  readonly folder: string | undefined;
}

export const USAGE = `npm run bench -- [NAME…] [--quick] [--profile] [--folder DIR] [--list]

  NAME           run these workloads only; 'ingest' stands for all whose names begin with 'ingest-'
  --quick        small sizes, to see that everything works
  --profile      let the server write CPU profiles and print where its threads spend their time
  --folder DIR   make data folders there; the disk under it is part of what is measured
  --archive-events N  make the archive's year of so many events, such as 10000000 or 100000000
  --list         name the workloads
`;

/** @throws Error with what is wrong, also for names that are not `known`. */
export function parseBenchOptions(args: readonly string[], known: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      folder: { type: 'string' },
      'archive-events': { type: 'string' },
    },
  });
  const names = positionals.flatMap((name) => {
    const meant = known.filter((each) => each === name || each.startsWith(`${name}-`));
    if (meant.length > 0) return meant;
    throw new Error(`There is no workload '${name}', only ${known.join(', ')}.`);
  });
  const { quick, profile, list, folder } = values;
  const archiveEvents = parseEvents(values['archive-events']);
  return { names, quick, profile, list, archiveEvents, folder };
}

function parseEvents(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const events = Number(text);
  if (Number.isSafeInteger(events) && events > 0) return events;
  throw new Error(`--archive-events is '${text}', which is no number of events.`);
}
