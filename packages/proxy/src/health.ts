import type { ProxyState } from './proxy-state.ts';

/** Whether the node should get requests, and if not, why. */
export interface Health {
  readonly isHealthy: boolean;
  readonly text: string;
}

/** Judges a node. `maxLagMs` 0 accepts any lag. */
export function healthOf(
  state: Pick<ProxyState, 'role' | 'isReady' | 'lagMs'>,
  maxLagMs: number,
): Health {
  const role = state.role();
  if (role === 'primary') return { isHealthy: true, text: 'OK' };
  if (!state.isReady()) return unhealthy('not ready: the first sync with the primary is not done');
  if (role === 'none') return unhealthy('no contact: no primary is known');
  const lagMs = state.lagMs();
  if (lagMs === undefined) return unhealthy('no contact: the primary has not been heard');
  if (maxLagMs > 0 && lagMs > maxLagMs) {
    return unhealthy(`lag: ${lagMs} ms behind the primary, ${maxLagMs} ms are allowed`);
  }
  return { isHealthy: true, text: 'OK' };
}

function unhealthy(text: string): Health {
  return { isHealthy: false, text };
}
