import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '@loggia/contract';
import { JournalError, type Journal } from '@loggia/journal';
import { decodeHits } from './hit-text.ts';
import { TailWriter, type WriteOutcome } from './tail-writer.ts';
import type { Refusal, WriterRequest, WriterResponse } from './writer-messages.ts';

/** Rows of removed sites that one turn of upkeep deletes, so that hits never wait for long. */
const PURGE_ROWS_MAX = 2000;
/** How long an event's own id is remembered. */
const ID_LIFETIME_MS = 72 * 3_600_000;

/**
 * The writer's side of the thread boundary: does what the messages of `port` ask, one at a time,
 * until it is told to close. A failure of the journal is answered, not thrown, since the disk may
 * have room again the next time; anything else is a fault of the program and ends the thread.
 */
export function serveWriter(port: MessagePort, journal: Journal): void {
  const writer = new TailWriter(journal);
  port.on('message', (request: WriterRequest) => {
    const response = respond(request, journal, writer);
    port.postMessage(response);
    if (response.kind === 'closed') port.close();
  });
  port.postMessage({ kind: 'ready' } satisfies WriterResponse);
}

function respond(request: WriterRequest, journal: Journal, writer: TailWriter): WriterResponse {
  try {
    switch (request.kind) {
      case 'write': {
        const outcomes = writer.write(decodeHits(request.hitsText), request.nowMs, request.drops);
        return { kind: 'written', refusals: refusalsIn(outcomes) };
      }
      case 'upkeep':
        return { kind: 'kept', purgedRows: keepUp(journal, request.nowMs) };
      case 'close':
        journal.close();
        return { kind: 'closed' };
    }
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    return { kind: 'failed', code: publicCode(error), message: error.message };
  }
}

/** Nearly every hit is stored, so only the others are told of. */
function refusalsIn(outcomes: readonly WriteOutcome[]): Refusal[] {
  const refusals: Refusal[] = [];
  for (const [index, reason] of outcomes.entries()) {
    if (reason !== null) refusals.push({ index, reason });
  }
  return refusals;
}

/** Forgets what has expired and deletes a few rows of removed sites; returns how many of these. */
function keepUp(journal: Journal, nowMs: number): number {
  journal.tail.forgetIdsBefore(nowMs - ID_LIFETIME_MS);
  journal.tail.removeExpiredAliases(nowMs);
  journal.sessions.removeExpired(nowMs);
  return journal.sites.purgeStep(PURGE_ROWS_MAX);
}

function publicCode(error: JournalError): ErrorCode {
  return error.code === 'journal_full' ? 'storage_full' : 'storage_failed';
}
