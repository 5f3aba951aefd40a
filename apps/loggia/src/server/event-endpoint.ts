import { parseEvent, type RequestFacts } from '@loggia/ingest';
import type { EventIntake, IntakeResult } from './event-intake.ts';
import { RateLimitError } from './event-limits.ts';
import { headersOf, problemOf } from './problem.ts';
import { parseJson } from './read-body.ts';
import { reportError } from './report-error.ts';
import { requestFacts, type HttpRequest } from './request-facts.ts';
import type { Services } from './services.ts';

export const EVENT_PATH = '/api/event';
export const EVENT_BODY_BYTES_MAX = 1_000_000;

/** Lets pages of any origin read the answer. Events carry no credentials. */
export const CROSS_ORIGIN_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'x-loggia-dropped, x-plausible-dropped',
} as const;

/** An answer that only has to be written. */
export interface EventAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The answer to an event that every site it named has taken. */
export const ACCEPTED: EventAnswer = {
  status: 202,
  headers: { ...CROSS_ORIGIN_HEADERS, 'content-type': 'text/plain' },
  body: 'ok',
};

/** `POST /api/event`, whoever carries request and answer. */
export class EventEndpoint {
  readonly #services: Services;
  readonly #intake: EventIntake;

  constructor(services: Services, intake: EventIntake) {
    this.#services = services;
    this.#intake = intake;
  }

  /**
   * Calls `send` with the answer, once, after the event is committed or as soon as it is known not to
   * be. Never throws: a refusal is an answer too. No promise, since this is the way of every event.
   */
  answer(request: HttpRequest, body: unknown, send: (answer: EventAnswer) => void): void {
    try {
      this.#accept(request, body, send);
    } catch (error) {
      send(this.refuse(error));
    }
  }

  /** The answer to a request that failed with `thrown`. */
  refuse(thrown: unknown): EventAnswer {
    const error = reportError(thrown, EVENT_PATH, this.#services);
    const retryAfterMs = thrown instanceof RateLimitError ? thrown.retryAfterMs : undefined;
    return json(error.status, problemOf(error), headersOf(error, retryAfterMs));
  }

  #accept(request: HttpRequest, body: unknown, send: (answer: EventAnswer) => void): void {
    const { eventLimits, metrics } = this.#services;
    const facts = requestFacts(request, this.#services);
    eventLimits.takeClient(facts.address ?? '', facts.nowMs);
    const parsed = parseEvent(parseJson(body));
    if (!parsed.ok) {
      metrics.refused('bad_event');
      const { errors } = parsed;
      send(json(400, { error: errors.join(' '), code: 'bad_event', errors }, {}));
      return;
    }
    this.#intake.accept(parsed.event, facts, {
      done: (result) => send(answerTo(request, facts, result)),
      failed: (error) => send(this.refuse(error)),
    });
  }
}

function answerTo(request: HttpRequest, facts: RequestFacts, result: IntakeResult): EventAnswer {
  if (request.headers['x-debug-request'] === 'true') {
    return plain(200, facts.address ?? '', dropHeaders(result));
  }
  return result.dropped.length === 0 ? ACCEPTED : plain(202, 'ok', dropHeaders(result));
}

/** Tells why some or all of the sites did not take an event. */
export function dropHeaders(result: IntakeResult): Readonly<Record<string, string>> {
  if (result.dropped.length === 0) return {};
  return {
    'x-loggia-dropped': Array.from(new Set(result.dropped)).join(', '),
    'x-plausible-dropped': String(result.dropped.length),
  };
}

function plain(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): EventAnswer {
  return {
    status,
    headers: { ...CROSS_ORIGIN_HEADERS, 'content-type': 'text/plain', ...headers },
    body,
  };
}

function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): EventAnswer {
  const type = { 'content-type': 'application/json; charset=utf-8' };
  return {
    status,
    headers: { ...CROSS_ORIGIN_HEADERS, ...type, ...headers },
    body: JSON.stringify(body),
  };
}
