import { type Clock } from '@tandem/base';
import { AddressSet, CommitQueue, GEO_HEADER_NETWORKS, type ProxyTrust } from '@loggia/ingest';
import { Journal, JournalError, Salts } from '@loggia/journal';
import type { EventStore } from '@loggia/warehouse';
import type { Logger } from 'pino';
import type { ConfigurationValues } from '../config/configuration.ts';
import { startArchiveThread, startWriterThread } from '../threads/threads.ts';
import { ArchiveTurns } from './archive-turns.ts';
import { EventLimits } from './event-limits.ts';
import { openEnricher } from './open-enricher.ts';
import { Metrics } from './metrics.ts';
import { openStore } from './open-store.ts';
import { RateLimiter } from './rate-limiter.ts';
import { SaltCache } from './salt-cache.ts';
import type { Services } from './services.ts';
import { SiteDirectory } from './site-directory.ts';
import { Upkeep } from './upkeep.ts';

export interface OpenServices {
  readonly services: Services;
  /** From now on the server says that it is not ready. */
  beginStop(): void;
  /** Commits what waits and closes everything, in the order that loses nothing. */
  close(): Promise<void>;
}

/** Attempts to log in, per client and per name. */
const LOGIN_LIMIT = { perSecond: 1 / 6, burst: 20 };
/** Queries, per key or person. */
const QUERY_LIMIT = { perSecond: 20, burst: 600 };

/**
 * Opens the journal and starts the threads.
 *
 * @throws JournalError when the data folder cannot be used.
 */
export async function openServices(
  configuration: ConfigurationValues,
  outside: { readonly clock: Clock; readonly logger: Logger },
): Promise<OpenServices> {
  const { clock, logger } = outside;
  const folder = configuration.dataDir;
  const journal = Journal.open({ folder });
  const salts = Salts.open({ folder });
  if (salts.notice !== undefined) logger.warn(salts.notice);
  const saltCache = new SaltCache(salts, clock);
  const queue = new CommitQueue({
    clock,
    startWriter: () => startWriterThread({ folder }),
    hitsMax: configuration.queueEventsMax,
    onCommit: (hitCount, durationMs) => metrics.committed(hitCount, durationMs),
    onWriterFailure: (error) =>
      logger.error({ err: error }, 'The writer failed; starting it again.'),
  });
  const store = openStore(configuration, logger);
  const metrics: Metrics = new Metrics({
    queueDepth: () => queue.depth,
    store: () => store.status().catch(() => undefined),
  });
  let isStopping = false;
  const services: Services = {
    configuration,
    clock,
    logger,
    journal,
    sites: new SiteDirectory(journal, clock),
    enricher: openEnricher(configuration, saltCache, outside).enricher,
    proxyTrust: proxyTrustOf(configuration),
    geoNetworks: configuration.geoHeaders ? GEO_HEADER_NETWORKS : [],
    queue,
    store,
    metrics,
    eventLimits: openEventLimits(configuration),
    loginLimit: new RateLimiter(LOGIN_LIMIT),
    queryLimit: configuration.rateLimits ? new RateLimiter(QUERY_LIMIT) : undefined,
    unready: () => reasonsNotReady({ isStopping, queue, store }),
  };
  const archiveTurns = configuration.archive
    ? new ArchiveTurns({ folder, journal, clock, logger, startThread: startArchiveThread })
    : undefined;
  const upkeep = new Upkeep({ services, salts, saltCache, archiveTurns });
  upkeep.start();
  await queue.ready.catch((cause: unknown) => {
    throw writerFailed(folder, cause);
  });
  return {
    services,
    beginStop: () => {
      isStopping = true;
    },
    close: async () => {
      upkeep.stop();
      await archiveTurns?.close();
      await queue.close();
      await store.close();
      salts.close();
      journal.close();
    },
  };
}

function writerFailed(folder: string, cause: unknown): JournalError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `The thread that writes the journal in ${folder} cannot start: ${reason}`;
  return new JournalError('journal_failed', message, {
    cause,
    hint: "Free memory and disk space, and look at what 'loggia doctor' says.",
  });
}

/** Without a header nobody speaks for others: the client is whoever connected. */
function proxyTrustOf({ clientIpHeader, trustedProxies }: ConfigurationValues): ProxyTrust {
  if (clientIpHeader === null) return { proxies: new AddressSet([]), header: null };
  return { proxies: new AddressSet(trustedProxies), header: clientIpHeader };
}

function openEventLimits(configuration: ConfigurationValues): EventLimits {
  if (!configuration.rateLimits) return new EventLimits(undefined);
  return new EventLimits({
    client: configuration.rateLimitClientPerMinute,
    site: configuration.rateLimitSitePerMinute,
  });
}

async function reasonsNotReady(parts: {
  readonly isStopping: boolean;
  readonly queue: CommitQueue;
  readonly store: EventStore;
}): Promise<readonly string[]> {
  const reasons: string[] = [];
  if (parts.isStopping) reasons.push('the server is stopping');
  if (!parts.queue.isReady) reasons.push('the journal cannot be written');
  const isLoaded = await parts.store.status().then(
    (status) => status.ready,
    () => false,
  );
  if (!isLoaded) reasons.push('the event store is loading');
  return reasons;
}
