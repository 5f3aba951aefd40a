import type { IncomingMessage } from 'node:http';
import { deliver } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { REFUSED_HEADER } from './origin.ts';
import type { ProxyParts } from './parts.ts';
import { ProxyError } from './proxy-error.ts';
import { parseBaseUrl } from './proxy-options.ts';

/** `not-made`: nothing came of it, and the request can be sent again as a whole. */
export type Forwarding =
  | { readonly kind: 'done' }
  | { readonly kind: 'not-made'; readonly error: ProxyError };

/** The primary, by way of the proxy on its node. */
export class PrimaryPeer {
  readonly #parts: ProxyParts;

  constructor(parts: ProxyParts) {
    this.#parts = parts;
  }

  /**
   * Has the primary at `urlText` answer.
   *
   * @throws ProxyError primary_failed and primary_timeout when the request may have been carried
   *   out, body_not_held when it was not but cannot be sent again
   */
  async forward(exchange: Exchange, urlText: string): Promise<Forwarding> {
    const { client, peerPool, tunnels, counters } = this.#parts;
    const url = parseBaseUrl('primaryUrl', urlText);
    const outcome = await client.send(exchange, { url, isPeer: true, pool: peerPool });
    switch (outcome.kind) {
      case 'gone':
        return { kind: 'done' };
      case 'upgraded':
        await tunnels.join(exchange, outcome, false);
        return { kind: 'done' };
      case 'answered':
        return await this.#pass(exchange, outcome.answer, url);
      case 'unsent':
        counters.add('primaryErrors');
        return { kind: 'not-made', error: unreachable(url, outcome.cause) };
      case 'lost':
      case 'silent':
        counters.add('primaryErrors');
        throw uncertain(url, outcome);
    }
  }

  async #pass(exchange: Exchange, answer: IncomingMessage, url: URL): Promise<Forwarding> {
    const { counters, isClosing } = this.#parts;
    if (isRefusal(answer)) {
      answer.destroy();
      return { kind: 'not-made', error: refused(exchange, url) };
    }
    exchange.body.letGo();
    const extras = { fields: [], isFromTarget: false, isLast: isClosing() };
    const end = await deliver(exchange, answer, extras);
    if (end === 'cut') counters.add('answersCut');
    return { kind: 'done' };
  }
}

/** The other proxy did not pass the request on. An application cannot say so: its field is removed. */
function isRefusal(answer: IncomingMessage): boolean {
  return answer.statusCode === 503 && answer.headers[REFUSED_HEADER.toLowerCase()] !== undefined;
}

/** @throws ProxyError body_not_held */
function refused(exchange: Exchange, url: URL): ProxyError {
  if (exchange.body.isReplayable) {
    return new ProxyError('not_primary', `The node at ${url.host} is not primary (any more).`, {
      hint: 'Repeat the request in a moment.',
    });
  }
  throw new ProxyError('body_not_held', `The node at ${url.host} ceased to be primary.`, {
    hint: 'Repeat the request; nothing of it was carried out.',
  });
}

function unreachable(url: URL, cause: Error): ProxyError {
  return new ProxyError('primary_unreachable', `The primary at ${url.host} is not reachable.`, {
    cause,
    hint: `Repeat the request in a moment; the connection said: ${cause.message}.`,
  });
}

function uncertain(
  url: URL,
  { kind, cause }: { readonly kind: 'lost' | 'silent'; readonly cause: Error },
): ProxyError {
  const code = kind === 'silent' ? 'primary_timeout' : 'primary_failed';
  return new ProxyError(code, `The primary at ${url.host} gave no answer: ${cause.message}.`, {
    cause,
    hint: 'Look whether the request took effect before repeating it.',
  });
}
