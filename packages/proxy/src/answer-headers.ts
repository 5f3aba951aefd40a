import { hopByHopFields } from './hop-by-hop.ts';
import { REFUSED_HEADER } from './origin.ts';
import { fieldsOf, fieldValues, listMembers, type RawHeaders } from './raw-headers.ts';

/** An answer's head as it came, and what is known of where it goes. */
export interface AnswerHead {
  readonly headers: RawHeaders;
  readonly status: number;
  /** It comes from the application, which has no say in fields of Tandem's (X3). */
  readonly isFromTarget: boolean;
  /** The client's connection can carry trailers. */
  readonly mayHaveTrailers: boolean;
}

/** The end-to-end fields of an answer. */
export function answerHeaders(head: AnswerHead): string[] {
  const dropped = hopByHopFields(head.headers);
  const hasLength = fieldValues(head.headers, 'content-length').length > 0;
  const keepsTrailer = head.mayHaveTrailers && !hasLength;
  const sent: string[] = [];
  for (const [lower, name, value] of fieldsOf(head.headers)) {
    if (dropped.has(lower) || lower === REFUSED_HEADER.toLowerCase()) continue;
    if (head.isFromTarget && lower.startsWith('tandem-')) continue;
    if (lower === 'trailer' && !keepsTrailer) continue;
    if (lower === 'content-length' && head.status === 204) continue;
    sent.push(name, value);
  }
  return sent;
}

/**
 * Whether caches may give the answer to everybody. It then says nothing of one client's position: a
 * cached cookie would take other clients back.
 */
export function isSharedAnswer(headers: RawHeaders): boolean {
  const directives = listMembers(headers, 'cache-control').map((item) => item.toLowerCase());
  if (directives.includes('private') || directives.includes('no-store')) return false;
  return directives.some((item) => item === 'public' || item.startsWith('s-maxage='));
}

/** Whether the answer is a stream of server-sent events, which may be silent for as long as it likes. */
export function isEventStream(headers: RawHeaders): boolean {
  const type = fieldValues(headers, 'content-type')[0] ?? '';
  return type.split(';', 1)[0]?.trim().toLowerCase() === 'text/event-stream';
}
