import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPlainRequest } from './plain-request.ts';

const LINE = 'POST /api/event HTTP/1.1\r\n';

const read = (text: string) => readPlainRequest(Buffer.from(text, 'latin1'), LINE);
const request = (...lines: readonly string[]) => `${LINE}${lines.join('\r\n')}\r\n\r\n{}`;

/** What Node's server makes of some bytes, as soon as it has read them all. */
interface NodeReading {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A connection on which `bytes` come and nothing else; nothing leaves it. */
class ByteSource extends Duplex {
  constructor(bytes: Buffer) {
    super();
    this.push(bytes);
  }
  override _read(): void {
    // All there is has been pushed.
  }
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}

/** Every whole request that Node's own server finds in `bytes`; a fault ends the list with its code. */
async function readByNode(bytes: Buffer): Promise<readonly (NodeReading | string)[]> {
  const found: (NodeReading | string)[] = [];
  const server: Server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method, url, headers } = incoming;
      found.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      response.end();
    });
  });
  server.on('clientError', (error: Error & { code?: string }) => found.push(error.code ?? '?'));
  const source = new ByteSource(bytes);
  server.emit('connection', source);
  // The bytes are read in the turns of the loop that follow; nothing else is waited for.
  for (let turn = 0; turn < 4; turn += 1) {
    const { promise, resolve } = Promise.withResolvers<void>();
    setImmediate(resolve);
    await promise;
  }
  source.destroy();
  return found;
}

describe('readPlainRequest', () => {
  it('reads headers with names in lower case and without blanks around them, and the body', () => {
    const text = request('Host: a.example', 'X-Some:\t one  two ', 'Empty:', 'content-length: 2');
    const found = read(text);
    expect({ ...found?.headers }).toEqual({
      host: 'a.example',
      'x-some': 'one  two',
      empty: '',
      'content-length': '2',
    });
    expect(found?.body).toBe('{}');
  });

  it('reads a body as UTF-8 by its length in bytes', () => {
    const body = Buffer.from('{"n":"größer"}');
    const head = `${LINE}Host: a.example\r\nContent-Length: ${body.length}\r\n\r\n`;
    const bytes = Buffer.concat([Buffer.from(head), body]);
    expect(readPlainRequest(bytes, LINE)?.body).toBe('{"n":"größer"}');
  });

  it.each([
    ['another path', request('Host: a', 'Content-Length: 2').replace('event', 'events')],
    ['another method', request('Host: a', 'Content-Length: 2').replace('POST', 'PUT')],
    ['another version', request('Host: a', 'Content-Length: 2').replace('1.1', '1.0')],
    ['no host', request('Content-Length: 2')],
    ['no length', request('Host: a')],
    ['two lengths', request('Host: a', 'Content-Length: 2', 'Content-Length: 2')],
    ['a length that is no number', request('Host: a', 'Content-Length: +2')],
    ['a length in a list', request('Host: a', 'Content-Length: 2, 2')],
    ['less than the length', request('Host: a', 'Content-Length: 3')],
    ['more than the length', request('Host: a', 'Content-Length: 1')],
    ['chunks', request('Host: a', 'Content-Length: 2', 'Transfer-Encoding: chunked')],
    ['an expectation', request('Host: a', 'Content-Length: 2', 'Expect: 100-continue')],
    ['another protocol', request('Host: a', 'Content-Length: 2', 'Upgrade: h2c')],
    ['a wish to close', request('Host: a', 'Content-Length: 2', 'Connection: close')],
    ['options of the connection', request('Host: a', 'Content-Length: 2', 'Connection: TE')],
    ['a header on two lines', request('Host: a', 'Content-Length: 2', 'X-A: 1', ' 2')],
    ['a header twice', request('Host: a', 'Content-Length: 2', 'X-A: 1', 'x-a: 2')],
    ['a blank before the colon', request('Host: a', 'Content-Length: 2', 'X-A : 1')],
    ['a line without colon', request('Host: a', 'Content-Length: 2', 'X-A')],
    ['a name that is none', request('Host: a', 'Content-Length: 2', 'X(A): 1')],
    ['no name', request('Host: a', 'Content-Length: 2', ': 1')],
    ['a bare line feed', request('Host: a', 'Content-Length: 2', 'X-A: 1\nX-B: 2')],
    ['a bare carriage return', request('Host: a', 'Content-Length: 2', 'X-A: 1\rX-B: 2')],
    ['a control character', request('Host: a', 'Content-Length: 2', 'X-A: \0')],
    ['a name of JavaScript', request('Host: a', 'Content-Length: 2', '__proto__: 1')],
    ['no header', `${LINE}\r\n{}`],
    ['no end', `${LINE}Host: a\r\nContent-Length: 0\r\n`],
    ['a head without end', request('Host: a', 'Content-Length: 2', `X-A: ${'x'.repeat(12_000)}`)],
  ])('leaves a request with %s to others', (_, text) => {
    expect(read(text)).toBeUndefined();
  });

  it('takes only what Node reads as that one request, and reads it alike', async () => {
    const names =
      'Host host Content-Length content-length Connection X-A x-a Cookie Transfer-Encoding Expect ' +
      'User-Agent __proto__ constructor X(A)';
    const name = fc.constantFrom('', 'X A', ...names.split(' '));
    const value = fc.oneof(
      fc.constantFrom('2', '02', '3', '0x2', 'keep-alive', 'Keep-Alive', 'close', 'chunked', 'a'),
      fc.string({ unit: 'binary-ascii', maxLength: 12 }),
    );
    const colon = fc.constantFrom(': ', ':', ' : ', ':\t', '');
    const end = fc.constantFrom('\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\n ');
    const line = fc.tuple(name, colon, value, end).map((parts) => parts.join(''));
    const usual = fc.constantFrom('Host: a\r\n', 'Content-Length: 2\r\n');
    const text = fc
      .tuple(fc.array(fc.oneof(usual, line), { maxLength: 5 }), fc.constantFrom('{}', '{}{}', '{'))
      .map(([lines, body]) => `${LINE}${lines.join('')}\r\n${body}`);
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(text, async (some) => {
        const bytes = Buffer.from(some, 'latin1');
        const plain = readPlainRequest(bytes, LINE);
        if (plain === undefined) return;
        taken += 1;
        const expected = { method: 'POST', url: '/api/event', ...plain };
        expect(await readByNode(bytes)).toEqual([
          { ...expected, headers: { ...expected.headers } },
        ]);
      }),
      { numRuns: 5000 },
    );
    expect(taken).toBeGreaterThan(20);
  });
});
