import type { Clock } from '@tandem/base';
import type { CommitQueue, Enricher, GeoHeaderNetwork, ProxyTrust } from '@loggia/ingest';
import type { Journal } from '@loggia/journal';
import type { EventStore } from '@loggia/warehouse';
import type { FastifyBaseLogger } from 'fastify';
import type { ConfigurationValues } from '../config/configuration.ts';
import type { EventLimits } from './event-limits.ts';
import type { Metrics } from './metrics.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { SiteDirectory } from './site-directory.ts';

/** Everything that the routes work with. Made once, in `openServices`. */
export interface Services {
  readonly configuration: ConfigurationValues;
  readonly clock: Clock;
  readonly logger: FastifyBaseLogger;
  readonly journal: Journal;
  readonly sites: SiteDirectory;
  readonly enricher: Enricher;
  readonly proxyTrust: ProxyTrust;
  /** Delivery networks whose geo headers are believed. */
  readonly geoNetworks: readonly GeoHeaderNetwork[];
  readonly queue: CommitQueue;
  readonly store: EventStore;
  readonly metrics: Metrics;
  readonly eventLimits: EventLimits;
  readonly loginLimit: RateLimiter;
  readonly queryLimit: RateLimiter | undefined;
  /** Why the server takes no requests right now; empty when it does. */
  readonly unready: () => Promise<readonly string[]>;
}
