import type { IncomingMessage } from 'node:http';
import { isEventStream, isSharedAnswer } from './answer-headers.ts';
import { deliver } from './answer.ts';
import type { Outcome } from './attempt.ts';
import { Deadline } from './deadline.ts';
import type { Exchange } from './exchange.ts';
import type { ProxyParts } from './parts.ts';
import { positionFields } from './position-fields.ts';
import type { ProxyPosition } from './position.ts';
import { ProxyError } from './proxy-error.ts';
import type { Upstream } from './upstream.ts';

const RETRY_MS = 100;

/** The application on this node. */
export class LocalTarget {
  readonly #parts: ProxyParts;
  readonly #upstream: Upstream;

  constructor(parts: ProxyParts) {
    this.#parts = parts;
    this.#upstream = { url: parts.settings.target, isPeer: false, pool: parts.targetPool };
  }

  /**
   * Has the application answer. `onAnswered` is called when it has done its work: at the end of the
   * answer, or at the beginning of an endless one.
   *
   * @throws ProxyError target_unreachable, target_failed, write_unconfirmed
   */
  async answer(
    exchange: Exchange,
    kind: 'passthrough' | 'read' | 'write',
    onAnswered: () => void = () => {},
  ): Promise<void> {
    const outcome = await this.#send(exchange);
    if (outcome.kind === 'gone') return;
    if (outcome.kind === 'upgraded') {
      onAnswered();
      return await this.#parts.tunnels.join(exchange, outcome, kind === 'write');
    }
    if (outcome.kind !== 'answered') throw this.#failure(outcome);
    const { answer } = outcome;
    // A stream that breaks while its position is asked for is noticed when it is delivered.
    answer.on('error', () => {});
    const fields = kind === 'passthrough' ? [] : await this.#cover(exchange, answer, kind);
    if (isEventStream(answer.rawHeaders)) onAnswered();
    const isLast = this.#parts.isClosing();
    const end = await deliver(exchange, answer, { fields, isFromTarget: true, isLast });
    if (end === 'cut') this.#parts.counters.add('answersCut');
  }

  /** An application that is being started does not listen yet; nothing has been sent to it then. */
  async #send(exchange: Exchange): Promise<Outcome> {
    const { client, settings } = this.#parts;
    const deadline = Deadline.in(settings.targetRetryTimeoutMs);
    for (;;) {
      const outcome = await client.send(exchange, this.#upstream);
      if (outcome.kind !== 'unsent' || deadline.isOver) return outcome;
      await exchange.rest(Math.min(RETRY_MS, deadline.remainingMs));
      if (exchange.gone.aborted) return { kind: 'gone' };
    }
  }

  #failure({ kind, cause }: Extract<Outcome, { cause: Error }>): ProxyError {
    this.#parts.counters.add('targetErrors');
    const { host } = this.#parts.settings.target;
    if (kind === 'unsent') {
      return new ProxyError('target_unreachable', `The application at ${host} does not listen.`, {
        cause,
        hint: 'Start it, or correct the address that the proxy has as its target.',
        retryable: true,
      });
    }
    return new ProxyError('target_failed', `The application at ${host} gave no valid answer.`, {
      cause,
      hint: `Look at the application's log; the connection said: ${cause.message}.`,
    });
  }

  /** The fields for a position that covers the answer, once that position is as safe as it has to be (X7). */
  async #cover(
    exchange: Exchange,
    answer: IncomingMessage,
    kind: 'read' | 'write',
  ): Promise<readonly string[]> {
    const shown = await this.#shownPosition(kind, answer);
    if (kind === 'read' && isSharedAnswer(answer.rawHeaders)) return [];
    const { seen, isForgiven } = exchange;
    const { cookieMaxAgeS, secureCookie } = this.#parts.settings;
    const cookie = { maxAgeS: cookieMaxAgeS, isSecure: secureCookie };
    const isPrimary = this.#parts.state.role() === 'primary';
    return positionFields({ seen, isForgiven, shown, isPrimary }, cookie);
  }

  async #shownPosition(
    kind: 'read' | 'write',
    answer: IncomingMessage,
  ): Promise<ProxyPosition | undefined> {
    const { state, settings } = this.#parts;
    const isPrimary = state.role() === 'primary';
    if (kind === 'read' && !isPrimary) return state.position();
    if (state.confirm === undefined) {
      if (kind === 'read' || isPrimary) return state.position();
      throw this.#unconfirmed(answer, 'the node ceased to be primary while the write was made');
    }
    const confirmation = await state.confirm(kind, settings.confirmTimeoutMs);
    if (confirmation.kind === 'covered') return confirmation.position;
    if (kind === 'read') return state.position();
    throw this.#unconfirmed(answer, confirmation.reason);
  }

  #unconfirmed(answer: IncomingMessage, reason: string): ProxyError {
    this.#parts.counters.add('writesUnconfirmed');
    answer.destroy();
    return new ProxyError('write_unconfirmed', `The write is not confirmed: ${reason}.`, {
      hint: 'Look whether it took effect before repeating it.',
    });
  }
}
