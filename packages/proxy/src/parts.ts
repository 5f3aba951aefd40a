import type { Counters } from './counters.ts';
import type { ProxySettings } from './proxy-options.ts';
import type { ProxyState } from './proxy-state.ts';
import type { Tunnels } from './tunnels.ts';
import type { UpstreamPool } from './upstream-pool.ts';
import type { UpstreamClient } from './upstream.ts';
import type { WriteGate } from './write-gate.ts';

/** What the parts of a proxy work with together. */
export interface ProxyParts {
  readonly settings: ProxySettings;
  readonly state: ProxyState;
  readonly counters: Counters;
  readonly gate: WriteGate;
  readonly client: UpstreamClient;
  readonly tunnels: Tunnels;
  readonly targetPool: UpstreamPool;
  readonly peerPool: UpstreamPool;
  /** Answers are the last ones of their connections. */
  readonly isClosing: () => boolean;
}
