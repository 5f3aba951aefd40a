import type { IncomingMessage } from 'node:http';
import { answerHeaders, isEventStream } from './answer-headers.ts';
import type { Exchange } from './exchange.ts';
import { trailersOf } from './request-body.ts';

/** What the proxy adds to an answer. */
export interface AnswerExtras {
  /** Names and values by turns. */
  readonly fields: readonly string[];
  readonly isFromTarget: boolean;
  readonly isLast: boolean;
}

/**
 * Passes an answer on as it comes, no faster than the client takes it. Resolves with whether the
 * server sent all of it; if not, the client's connection has been cut, so that it cannot take a part
 * for the whole (X4).
 */
export async function deliver(
  exchange: Exchange,
  answer: IncomingMessage,
  extras: AnswerExtras,
): Promise<'whole' | 'cut' | 'gone'> {
  const { response } = exchange;
  const ended = Promise.withResolvers<'whole' | 'cut' | 'gone'>();
  answer.on('error', () => ended.resolve('cut'));
  answer.once('close', () => ended.resolve(answer.complete ? 'whole' : 'cut'));
  answer.once('end', () => {
    const trailers = trailersOf(answer);
    if (trailers.length > 0 && mayHaveTrailers(exchange)) response.addTrailers(trailers);
    response.end();
    ended.resolve('whole');
  });
  const onGone = (): void => {
    answer.destroy();
    ended.resolve('gone');
  };
  if (exchange.gone.aborted || response.destroyed) onGone();
  else {
    exchange.gone.addEventListener('abort', onGone, { once: true });
    writeHead(exchange, answer, extras);
    answer.pipe(response, { end: false });
    if (answer.destroyed && !answer.complete) ended.resolve('cut');
  }
  const end = await ended.promise;
  exchange.gone.removeEventListener('abort', onGone);
  if (end === 'cut') exchange.cut();
  return end;
}

function writeHead(exchange: Exchange, answer: IncomingMessage, extras: AnswerExtras): void {
  const { response, request } = exchange;
  const status = answer.statusCode ?? 502;
  const headers = answerHeaders({
    headers: answer.rawHeaders,
    status,
    isFromTarget: extras.isFromTarget,
    mayHaveTrailers: mayHaveTrailers(exchange),
  });
  headers.push(...extras.fields);
  // A body that was offered and not asked for will not come; what follows would be read as a request.
  const isUnread = exchange.expectsContinue && !request.complete;
  if (extras.isLast || isUnread) headers.push('Connection', 'close');
  response.writeHead(
    status,
    (answer.statusMessage ?? '').replaceAll(/[^\t\x20-\x7e]/g, ''),
    headers,
  );
  exchange.isEndless = isEventStream(answer.rawHeaders);
  response.flushHeaders();
}

function mayHaveTrailers({ request, method }: Exchange): boolean {
  return request.httpVersion === '1.1' && method !== 'HEAD';
}
