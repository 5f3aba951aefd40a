import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { LeaseError } from './lease-error.ts';

/** Far more than a lease needs; a longer answer is an error. */
const ANSWER_BYTES_MAX = 1 << 20;
const STALE = new Set(['ECONNRESET', 'EPIPE']);
/** Errors after which the request cannot have reached the server. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EACCES',
  'ENOENT',
]);

/** How to speak TLS, all as PEM text. */
export interface TlsSettings {
  /** Certificates to trust instead of the well-known ones. */
  readonly ca?: string;
  /** The client's own certificate and key. */
  readonly cert?: string;
  readonly key?: string;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Path and query, beginning with '/'. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole exchange, or for the answer's head and between two lines when streaming. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** The server closed an idle connection just as it was used. */
class StaleConnection extends Error {}

/** Keep-alive HTTP to one server. */
export class HttpConnection {
  readonly #base: URL;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #tls: TlsSettings;

  constructor(baseUrl: URL, tls: TlsSettings = {}) {
    this.#base = baseUrl;
    this.#tls = tls;
    this.#agent =
      baseUrl.protocol === 'https:'
        ? new HttpsAgent({ keepAlive: true, ...tls })
        : new HttpAgent({ keepAlive: true });
  }

  /**
   * One exchange, whatever the status. It is sent again when the server had closed the idle
   * connection it was sent on; the server may then see it twice, which every write of a lease
   * bears, since each depends on what it changes.
   *
   * @throws LeaseError `lease_unreachable` when the server got nothing, `lease_no_answer` when it
   * may have (L5), `lease_bad_answer` when the answer is too long.
   */
  async exchange(request: HttpRequest): Promise<HttpAnswer> {
    const signal = this.#limit(request, AbortSignal.timeout(Math.ceil(request.timeoutMs)));
    try {
      const answer = await this.#sendAgain(request, signal);
      return {
        status: answer.statusCode ?? 0,
        headers: answer.headers,
        text: await readText(answer),
      };
    } catch (error) {
      throw this.#failure(error, request);
    }
  }

  /**
   * An answer that goes on, line by line, until the server ends it, `signal` aborts, or nothing
   * arrives for `timeoutMs`. The status is given to `onStatus` first.
   *
   * @throws LeaseError as `exchange`.
   */
  async *lines(request: HttpRequest, onStatus: (status: number) => void): AsyncGenerator<string> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(new Error('silence')), request.timeoutMs);
    try {
      const answer = await this.#send(request, this.#limit(request, silence.signal));
      onStatus(answer.statusCode ?? 0);
      let rest = '';
      for await (const chunk of answer.setEncoding('utf8')) {
        timer.refresh();
        const parts = (rest + String(chunk)).split('\n');
        rest = parts.pop() ?? '';
        if (rest.length > ANSWER_BYTES_MAX) throw tooLong();
        for (const line of parts) if (line.trim() !== '') yield line;
      }
      if (rest.trim() !== '') yield rest;
    } catch (error) {
      throw this.#failure(error, request);
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #limit(request: HttpRequest, end: AbortSignal): AbortSignal {
    return request.signal === undefined ? end : AbortSignal.any([request.signal, end]);
  }

  async #sendAgain(request: HttpRequest, signal: AbortSignal): Promise<IncomingMessage> {
    try {
      return await this.#send(request, signal);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      return this.#send(request, signal, true);
    }
  }

  #send(request: HttpRequest, signal: AbortSignal, isFresh = false): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const start = this.#base.protocol === 'https:' ? requestHttps : requestHttp;
    const body = request.body ?? '';
    const sent = start(new URL(request.path, this.#base), {
      method: request.method,
      agent: isFresh ? false : this.#agent,
      ...(isFresh ? this.#tls : {}),
      headers: {
        accept: 'application/json',
        ...(body === '' ? {} : { 'content-type': 'application/json' }),
        'content-length': String(Buffer.byteLength(body)),
        ...request.headers,
      },
      signal,
    });
    sent.once('response', resolve);
    sent.on('error', (error) => {
      const isStale = sent.reusedSocket && !isFresh && STALE.has(codeOf(error) ?? '');
      reject(isStale ? new StaleConnection() : error);
    });
    sent.end(body);
    return promise;
  }

  #failure(error: unknown, request: HttpRequest): LeaseError {
    if (error instanceof LeaseError) return error;
    const where = `${request.method} ${this.#base.origin}${request.path.split('?', 1)[0] ?? ''}`;
    const code = codeOf(error);
    if (code !== undefined && (NEVER_SENT.has(code) || isTlsRefusal(code))) {
      return new LeaseError('lease_unreachable', `${where}: ${code}.`, {
        cause: error,
        retryable: true,
        hint: isTlsRefusal(code)
          ? 'The certificate is not trusted: give the CA that signed it.'
          : 'Check the address of the lease store and that this node may reach it.',
      });
    }
    return new LeaseError('lease_no_answer', `${where}: no answer (${code ?? String(error)}).`, {
      cause: error,
      retryable: true,
      hint: 'The lease store is slow or away; the term goes on until it ends by itself.',
    });
  }
}

async function readText(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > ANSWER_BYTES_MAX) throw tooLong();
  }
  return text;
}

function tooLong(): LeaseError {
  return new LeaseError(
    'lease_bad_answer',
    `The answer is longer than ${ANSWER_BYTES_MAX} characters.`,
  );
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

function isTlsRefusal(code: string): boolean {
  return (
    code.startsWith('ERR_TLS') ||
    code.startsWith('CERT_') ||
    code.includes('SELF_SIGNED') ||
    code.startsWith('UNABLE_TO_')
  );
}
