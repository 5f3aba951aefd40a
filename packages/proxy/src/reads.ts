import type { Exchange } from './exchange.ts';
import type { LocalTarget } from './local-target.ts';
import type { ProxyParts } from './parts.ts';
import { covers, type ProxyPosition, type SeenPosition } from './position.ts';
import type { PrimaryPeer } from './primary-peer.ts';
import { ProxyError } from './proxy-error.ts';

/** Requests that only read: answered here, as soon as what the client has seen is here (X1). */
export class Reads {
  readonly #parts: ProxyParts;
  readonly #target: LocalTarget;
  readonly #peer: PrimaryPeer;

  constructor(parts: ProxyParts, target: LocalTarget, peer: PrimaryPeer) {
    this.#parts = parts;
    this.#target = target;
    this.#peer = peer;
  }

  /** @throws ProxyError */
  async answer(exchange: Exchange): Promise<void> {
    const { state, counters } = this.#parts;
    if (state.role() !== 'primary' && !state.isReady()) {
      return await this.#askPrimary(
        exchange,
        new ProxyError('not_ready', 'The node has not finished its first sync.', {
          hint: 'Repeat the request in a moment, or ask another node.',
        }),
      );
    }
    if (!(await this.#catchUp(exchange))) {
      counters.add('readsTimedOut');
      return await this.#askPrimary(
        exchange,
        new ProxyError('read_behind', 'The node is behind what this client has seen.', {
          hint: 'Repeat the request in a moment, or ask another node.',
          retryable: true,
        }),
      );
    }
    if (exchange.gone.aborted) return;
    counters.add('readsLocal');
    await this.#target.answer(exchange, 'read');
  }

  /**
   * Whether the node is where the client was, after waiting if need be. A primary never waits: what
   * it does not have is nowhere.
   */
  async #catchUp(exchange: Exchange): Promise<boolean> {
    const { state, counters, settings } = this.#parts;
    if (exchange.seen === undefined || state.role() === 'primary') return true;
    const local = state.position();
    const wanted = wantedOf(exchange.seen, local);
    if (wanted !== 'latest' && covers(local, wanted)) return true;
    counters.add('readsWaited');
    const result = await state.waitFor(wanted, settings.readWaitTimeoutMs);
    if (result === 'unknown-epoch') {
      counters.add('readsForgiven');
      exchange.isForgiven = true;
    }
    return result !== 'timeout';
  }

  /** @throws ProxyError `otherwise`, when there is no primary to ask */
  async #askPrimary(exchange: Exchange, otherwise: ProxyError): Promise<void> {
    const url = this.#parts.state.primaryUrl();
    if (exchange.gone.aborted) return;
    if (url === undefined || exchange.origin.isPeer) throw otherwise;
    this.#parts.counters.add('readsForwarded');
    const forwarding = await this.#peer.forward(exchange, url);
    if (forwarding.kind === 'not-made') throw otherwise;
  }
}

/**
 * LiteFS's cookie names neither epoch nor database: it is taken to mean the present epoch, where
 * there is no more than one database.
 */
function wantedOf(seen: SeenPosition, local: ProxyPosition | undefined): ProxyPosition | 'latest' {
  if (seen.kind === 'latest') return 'latest';
  if (seen.kind === 'points') return seen.points;
  const [only, another] = local ?? [];
  if (only === undefined || another !== undefined) return new Map();
  const [key, { epoch }] = only;
  return new Map([[key, { epoch, txid: seen.txid }]]);
}
