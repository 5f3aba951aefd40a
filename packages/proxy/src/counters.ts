/** How a request can end or what can happen to it on the way; each is counted. */
export const PROXY_COUNTERS = [
  'requests',
  'healthChecks',
  'passthroughs',
  'readsLocal',
  'readsWaited',
  'readsTimedOut',
  'readsForgiven',
  'readsForwarded',
  'writesLocal',
  'writesForwarded',
  'writesHeld',
  'writesRetried',
  'writesRefused',
  'writesWithoutPrimary',
  'writesUnconfirmed',
  'tunnels',
  'answersCut',
  'clientsGone',
  'badRequests',
  'connectionsDropped',
  'targetErrors',
  'primaryErrors',
] as const;

export type ProxyCounter = (typeof PROXY_COUNTERS)[number];

/** Totals since the start, and what is going on now. */
export interface ProxyMetrics extends Readonly<Record<ProxyCounter, number>> {
  readonly writesRunning: number;
  readonly requestsRunning: number;
  readonly tunnelsOpen: number;
  readonly isPaused: boolean;
}

export class Counters {
  readonly #counts = new Map<ProxyCounter, number>();

  add(counter: ProxyCounter): void {
    this.#counts.set(counter, this.get(counter) + 1);
  }

  get(counter: ProxyCounter): number {
    return this.#counts.get(counter) ?? 0;
  }

  all(): Record<ProxyCounter, number> {
    const entries = PROXY_COUNTERS.map((counter) => [counter, this.get(counter)] as const);
    return Object.fromEntries(entries) as Record<ProxyCounter, number>;
  }
}
