import type { Clock } from '@tandem/base';
import {
  Enricher,
  Hosting,
  MmdbFile,
  Places,
  type MmdbNotice,
  type SaltSource,
} from '@loggia/ingest';
import type { Logger } from 'pino';
import type { ConfigurationValues } from '../config/configuration.ts';

/** An enricher, and when the databases that are configured have been read. */
export interface OpenEnricher {
  readonly enricher: Enricher;
  readonly loaded: Promise<unknown>;
}

/** Opens an enricher; its databases load in the background. */
export function openEnricher(
  configuration: ConfigurationValues,
  salts: SaltSource,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): OpenEnricher {
  const loading: Promise<unknown>[] = [];
  const onNotice = ({ kind, path, message }: MmdbNotice): void => {
    if (kind === 'loaded') logger.info({ path }, message);
    else logger.warn({ path }, message);
  };
  const open = (path: string | null): MmdbFile | null => {
    if (path === null) return null;
    const file = new MmdbFile({ path, onNotice });
    loading.push(file.refresh());
    return file;
  };
  const networks = open(configuration.asnDatabase);
  const recordOf = (address: string, file: MmdbFile): unknown => {
    file.checkAt(clock.nowMs());
    return file.get(address);
  };
  const enricher = new Enricher({
    salts,
    places: new Places(open(configuration.cityDatabase)),
    hosting: new Hosting(networks === null ? null : (address) => recordOf(address, networks)),
  });
  return { enricher, loaded: Promise.all(loading) };
}
