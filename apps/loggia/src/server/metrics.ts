import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { DropReason } from '@loggia/contract';

/** What the metrics that are read on demand are read from. */
export interface MetricSources {
  readonly queueDepth: () => number;
  /** Undefined while the event store is being built again. */
  readonly store: () => Promise<
    { readonly events: number; readonly behindRows: number } | undefined
  >;
}

/** The numbers of `/metrics`. `docs/reference/metrics-endpoint.md` lists them. */
export class Metrics {
  readonly registry = new Registry();
  readonly #accepted: Counter;
  readonly #dropped: Counter<'reason'>;
  readonly #refused: Counter<'code'>;
  readonly #commitSeconds: Histogram;
  readonly #commitHits: Histogram;
  readonly #querySeconds: Histogram;
  readonly #requests: Counter<'route' | 'status'>;
  /** Counters of single routes and statuses: finding them by their labels costs more than counting. */
  readonly #answered = new Map<string, Map<number, Counter.Internal>>();

  constructor(sources: MetricSources) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#accepted = new Counter({
      name: 'loggia_events_accepted_total',
      help: 'Events stored, or found to be stored already.',
      registers,
    });
    this.#dropped = new Counter({
      name: 'loggia_events_dropped_total',
      help: 'Well-formed events that were not stored, by reason.',
      labelNames: ['reason'],
      registers,
    });
    this.#refused = new Counter({
      name: 'loggia_requests_refused_total',
      help: 'Requests answered with an error, by its code.',
      labelNames: ['code'],
      registers,
    });
    this.#commitSeconds = new Histogram({
      name: 'loggia_commit_seconds',
      help: 'Time from handing hits to the writer until they are synced.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    });
    this.#commitHits = new Histogram({
      name: 'loggia_commit_hits',
      help: 'Hits that shared one commit.',
      buckets: [1, 3, 10, 30, 100, 300, 1000, 5000],
      registers,
    });
    this.#querySeconds = new Histogram({
      name: 'loggia_query_seconds',
      help: 'Time of one report query.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
      registers,
    });
    this.#requests = new Counter({
      name: 'loggia_http_requests_total',
      help: 'Requests answered, by route and status.',
      labelNames: ['route', 'status'],
      registers,
    });
    this.#addGauges(sources);
  }

  #addGauges(sources: MetricSources): void {
    const registers = [this.registry];
    const queue: Gauge = new Gauge({
      name: 'loggia_queue_hits',
      help: 'Hits that wait for their commit.',
      registers,
      collect: () => queue.set(sources.queueDepth()),
    });
    const behind: Gauge = new Gauge({
      name: 'loggia_warehouse_behind_rows',
      help: 'Events of the journal that the event store has not taken in yet.',
      registers,
      collect: async () => behind.set((await sources.store())?.behindRows ?? 0),
    });
    const events: Gauge = new Gauge({
      name: 'loggia_warehouse_events',
      help: 'Events in the event store.',
      registers,
      collect: async () => events.set((await sources.store())?.events ?? 0),
    });
  }

  accepted(count: number): void {
    this.#accepted.inc(count);
  }

  dropped(reason: DropReason): void {
    this.#dropped.inc({ reason });
  }

  refused(code: string): void {
    this.#refused.inc({ code });
  }

  committed(hitCount: number, durationMs: number): void {
    this.#commitSeconds.observe(durationMs / 1000);
    this.#commitHits.observe(hitCount);
  }

  queried(durationMs: number): void {
    this.#querySeconds.observe(durationMs / 1000);
  }

  answered(route: string, status: number): void {
    let byStatus = this.#answered.get(route);
    if (byStatus === undefined) {
      byStatus = new Map();
      this.#answered.set(route, byStatus);
    }
    let counter = byStatus.get(status);
    if (counter === undefined) {
      counter = this.#requests.labels(route, String(status));
      byStatus.set(status, counter);
    }
    counter.inc();
  }
}
