import type { ServerResponse } from 'node:http';
import { EventJournal, ndjsonOf, sseOf, type ApiEvent } from './event-journal.ts';
import { parameter, type Exchange } from './exchange.ts';
import { HttpApiError } from './http-error.ts';
import type { NodeApi, NodeChange } from './node-api.ts';
import { initJson, primaryChangeJson, txJson } from './node-json.ts';

export interface EventFeedOptions {
  readonly node: NodeApi;
  /** Tells this start of the node from others; lower-case letters and digits. */
  readonly journalName: string;
  /** How far back a reader can go. */
  readonly eventsMax: number;
  readonly readersMax: number;
  /** A reader who takes nothing for so long is let go. */
  readonly stallTimeoutMs: number;
  /** Between two signs of life to readers of server-sent events. */
  readonly heartbeatMs: number;
}

const CUT_HINT =
  'Read on with ?after=ID and the id of the last event; see isGap of what comes first.';

/** Turns what happens to the node into events, and serves `GET /events` from them. */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #journal: EventJournal;
  readonly #readers = new Set<EventReader>();
  readonly #unlisten: () => void;
  #lastRole: string;
  #cutCount = 0;

  constructor(options: EventFeedOptions) {
    this.#options = options;
    this.#journal = new EventJournal(options.journalName, options.eventsMax);
    this.#lastRole = JSON.stringify(primaryChangeJson(options.node.status()));
    this.#unlisten = options.node.listen((change) => this.#changed(change));
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  /** Readers that were too slow. */
  get cutCount(): number {
    return this.#cutCount;
  }

  /** Answers a request for events; the answer goes on until one of the two ends leaves. */
  serve(exchange: Exchange): void {
    const { readersMax, node } = this.#options;
    if (this.#readers.size >= readersMax) {
      throw new HttpApiError('busy', `${readersMax} readers of events are connected already.`);
    }
    const { request, response } = exchange;
    const isSse = (request.headers.accept ?? '').includes('text/event-stream');
    const after = parameter(exchange, 'after') ?? headerText(request.headers['last-event-id']);
    response.writeHead(200, {
      'content-type': isSse ? 'text/event-stream' : 'application/x-ndjson',
      // Proxies such as nginx hold answers back otherwise.
      'x-accel-buffering': 'no',
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const resumption = after === undefined ? undefined : this.#journal.resume(after);
    const cursor = resumption?.cursor ?? this.#journal.end;
    const reader = new EventReader({
      response,
      journal: this.#journal,
      cursor,
      isSse,
      stallTimeoutMs: this.#options.stallTimeoutMs,
      heartbeatMs: this.#options.heartbeatMs,
      onEnd: (wasCut) => {
        this.#readers.delete(reader);
        if (wasCut) this.#cutCount += 1;
      },
    });
    this.#readers.add(reader);
    if (resumption?.kind !== 'resumed') {
      const data = initJson(node.status(), resumption?.kind === 'gap');
      reader.write({ type: 'init', id: this.#journal.idOf(cursor), data });
    }
    reader.pump();
  }

  /** Ends all answers with a line that says why. */
  close(reason: string): void {
    this.#unlisten();
    for (const reader of this.#readers) reader.end(reason, 'Read on from another node, or later.');
  }

  #changed(change: NodeChange): void {
    const event = this.#eventOf(change);
    if (event === undefined) return;
    this.#journal.add(event);
    for (const reader of this.#readers) reader.pump();
  }

  #eventOf(change: NodeChange): Omit<ApiEvent, 'id'> | undefined {
    const { node } = this.#options;
    switch (change.kind) {
      case 'ready':
        return { type: 'ready', data: {} };
      case 'position': {
        const database = node.database(change.name);
        if (database === undefined) return undefined;
        return {
          type: 'tx',
          db: change.name,
          data: txJson({ ...database, position: change.position }),
        };
      }
      case 'role': {
        const data = primaryChangeJson(node.status());
        const text = JSON.stringify(data);
        if (text === this.#lastRole) return undefined;
        this.#lastRole = text;
        return { type: 'primaryChange', data };
      }
    }
  }
}

interface EventReaderOptions {
  readonly response: ServerResponse;
  readonly journal: EventJournal;
  readonly cursor: number;
  readonly isSse: boolean;
  readonly stallTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly onEnd: (wasCut: boolean) => void;
}

/** One answer to `GET /events`: the journal from a cursor on, as fast as the client takes it. */
class EventReader {
  readonly #options: EventReaderOptions;
  readonly #heartbeat: NodeJS.Timeout | undefined;
  #stall: NodeJS.Timeout | undefined;
  #cursor: number;
  #isEnded = false;

  constructor(options: EventReaderOptions) {
    this.#options = options;
    this.#cursor = options.cursor;
    const { response, isSse, heartbeatMs } = options;
    response.on('drain', () => this.#drained());
    response.on('close', () => this.#over(false));
    response.on('error', () => this.#over(false));
    // LiteFS's clients take each line for an event, so only server-sent events have signs of life.
    if (isSse) this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs).unref();
  }

  /** Writes what the journal has after the cursor, until the client has to be waited for. */
  pump(): void {
    while (!this.#isEnded && this.#stall === undefined) {
      const event = this.#options.journal.after(this.#cursor);
      if (event === 'none') return;
      if (event === 'lost') {
        this.end('You read more slowly than events happen; some are lost to you.', CUT_HINT, true);
        return;
      }
      this.#cursor += 1;
      this.write(event);
    }
  }

  write(event: ApiEvent): void {
    const text = this.#options.isSse ? sseOf(event) : ndjsonOf(event);
    if (!this.#options.response.write(text)) this.#waitForDrain();
  }

  /** Ends the answer with a line of its own. */
  end(reason: string, hint: string, wasCut = false): void {
    if (this.#isEnded) return;
    const { response, journal } = this.#options;
    this.write({ type: 'end', id: journal.idOf(this.#cursor), data: { reason, hint } });
    this.#over(wasCut);
    response.end();
  }

  #waitForDrain(): void {
    if (this.#stall !== undefined || this.#isEnded) return;
    this.#stall = setTimeout(() => {
      this.#over(true);
      this.#options.response.destroy();
    }, this.#options.stallTimeoutMs);
  }

  #drained(): void {
    clearTimeout(this.#stall);
    this.#stall = undefined;
    this.pump();
  }

  #beat(): void {
    if (this.#stall === undefined && !this.#options.response.write(':\n\n')) this.#waitForDrain();
  }

  #over(wasCut: boolean): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#stall);
    this.#options.onEnd(wasCut);
  }
}

function headerText(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
