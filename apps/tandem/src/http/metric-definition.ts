import type { Metric, Sample } from './metrics-text.ts';
import type { DatabaseStatus, NodeStatus } from './node-api.ts';

/** What the HTTP server counts itself. */
export interface HttpCounts {
  /** Answers by route and status. */
  readonly answers: readonly {
    readonly route: string;
    readonly status: number;
    readonly count: number;
  }[];
  readonly eventStreams: number;
  readonly eventStreamsCut: number;
  readonly exportsRunning: number;
  readonly importsRunning: number;
}

/** What the system says of the process. */
export interface ProcessFacts {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  /** The longest that the event loop stood still since the last reading. */
  readonly stallSecondsMax: number;
}

/** Everything that metrics are made of. */
export interface MetricSource {
  readonly status: NodeStatus;
  readonly http: HttpCounts;
  readonly process: ProcessFacts;
}

/** A metric and where its numbers come from. */
export interface MetricDefinition extends Metric {
  readonly samples: (source: MetricSource) => readonly Sample[];
}

/** A gauge of each database; none for those where it is not known. */
export function databaseGauge(
  name: string,
  help: string,
  read: (database: DatabaseStatus) => number | undefined,
): MetricDefinition {
  return gauge(name, help, ({ status }) =>
    status.databases.flatMap((database) => {
      const value = read(database);
      return value === undefined ? [] : [{ labels: { db: database.name }, value }];
    }),
  );
}

/** A metric that goes up and down. */
export function gauge(
  name: string,
  help: string,
  samples: MetricDefinition['samples'],
): MetricDefinition {
  return { name, type: 'gauge', help, samples };
}

/** A metric that only goes up. */
export function counter(
  name: string,
  help: string,
  samples: MetricDefinition['samples'],
): MetricDefinition {
  return { name, type: 'counter', help, samples };
}

/** The samples of a metric without labels. */
export function one(value: number): readonly Sample[] {
  return [{ value }];
}

/** A condition as a number. */
export function flag(isSet: boolean): number {
  return isSet ? 1 : 0;
}
