import { Deadline } from './deadline.ts';
import type { Exchange } from './exchange.ts';
import type { LocalTarget } from './local-target.ts';
import type { ProxyParts } from './parts.ts';
import type { PrimaryPeer } from './primary-peer.ts';
import { ProxyError } from './proxy-error.ts';

const BACKOFF_MS_MIN = 20;
const BACKOFF_MS_MAX = 250;

/**
 * Requests that may write: answered by the application on the primary, wherever that is. They wait
 * while it is being settled who is primary, for so long as the settings say.
 */
export class Writes {
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
    const { settings, gate, counters } = this.#parts;
    if (gate.isPaused) counters.add('writesHeld');
    const deadline = Deadline.in(settings.primaryRedirectTimeoutMs);
    let backoffMs = BACKOFF_MS_MIN;
    for (;;) {
      const failure = await this.#try(exchange, deadline);
      if (failure === undefined || exchange.gone.aborted) return;
      if (deadline.isOver) throw failure;
      counters.add('writesRetried');
      await exchange.rest(Math.min(backoffMs, deadline.remainingMs));
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MS_MAX);
    }
  }

  /** Undefined when there is an answer; otherwise why not, and the request may be tried again. */
  async #try(exchange: Exchange, deadline: Deadline): Promise<ProxyError | undefined> {
    const { state, gate, settings } = this.#parts;
    if (!(await gate.whenOpen(deadline.remainingMs))) return this.#nowhere(true);
    if (exchange.gone.aborted) return undefined;
    const { isLoop, hops } = exchange.origin;
    if (state.role() !== 'primary' && (isLoop || hops >= settings.hopsMax))
      throw this.#turnedBack();
    const place = await state.waitForPrimary(deadline.remainingMs);
    if (exchange.gone.aborted) return undefined;
    if (place === undefined) return this.#nowhere(false);
    if (place === 'local') return await this.#here(exchange);
    if (isLoop || hops >= settings.hopsMax) throw this.#turnedBack();
    const forwarding = await this.#peer.forward(exchange, place);
    if (forwarding.kind === 'not-made') return forwarding.error;
    this.#parts.counters.add('writesForwarded');
    return undefined;
  }

  async #here(exchange: Exchange): Promise<ProxyError | undefined> {
    const { state, gate, counters } = this.#parts;
    // Between the answer to 'who is primary' and this line, a hand-off may have begun or ended.
    const leave = state.role() === 'primary' ? gate.tryEnter() : undefined;
    if (leave === undefined) return this.#nowhere(gate.isPaused);
    counters.add('writesLocal');
    try {
      await this.#target.answer(exchange, 'write', leave);
    } finally {
      leave();
    }
    return undefined;
  }

  #nowhere(isHandingOff: boolean): ProxyError {
    const reason = isHandingOff ? 'The primary is being handed over.' : 'No primary is known.';
    return new ProxyError('no_primary', reason, {
      hint: 'Repeat the request in a moment; it was not carried out.',
    });
  }

  /**
   * Sending it on once more could go on for ever (X5); the node that sent it knows better by now, or
   * soon.
   */
  #turnedBack(): ProxyError {
    this.#parts.counters.add('writesRefused');
    return new ProxyError('not_primary', 'This node is not primary.', {
      hint: 'Repeat the request in a moment; it was not carried out.',
    });
  }
}
