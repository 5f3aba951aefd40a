import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { listLtxFiles, ltxKey } from '@tandem/storage';
import { bytesOf, collected, failureOf, streamed } from './collected.ts';
import { type DoubleRequest, type Fault, S3Double, errorDocument } from './s3-double.ts';
import { storeConformance } from './store-conformance.ts';

const double = await S3Double.start();
afterAll(() => double.stop());
beforeEach(() => double.reset());

storeConformance({
  name: 'a bucket that honours conditions',
  make: async () => double.newStore(),
  conditionalWrites: 'honoured',
  largeBytes: 11 * 1024 * 1024,
  listsMarkup: true,
});

/** Answers the first `count` requests that match. */
function first(
  count: number,
  isMeant: (request: DoubleRequest) => boolean,
  respond: (response: ServerResponse, act: () => void) => void,
): Fault {
  let left = count;
  return (request, response, act) => {
    if (left === 0 || !isMeant(request)) return false;
    left -= 1;
    respond(response, act);
    return true;
  };
}

const isPut = ({ method }: DoubleRequest): boolean => method === 'PUT';
const isGet = ({ method }: DoubleRequest): boolean => method === 'GET';
const isComplete = ({ method, query }: DoubleRequest): boolean =>
  method === 'POST' && query.has('uploadId');

function saying(status: number, code: string, headers = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(status, headers).end(errorDocument(code));
  };
}

describe('a server with faults', () => {
  it.each([
    [503, 'SlowDown'],
    [500, 'InternalError'],
    [429, 'TooManyRequests'],
    [400, 'RequestTimeout'],
    [502, ''],
  ])('is asked again after %i %s', async (status, code) => {
    const delays: number[] = [];
    const sleep = async (delayMs: number): Promise<void> => void delays.push(delayMs);
    double.faults.push(first(3, isPut, saying(status, code)));
    await double.newStore({ sleep }).put('file', Buffer.from('x'));
    expect(delays).toEqual([125, 250, 500]);
    expect(double.objects.size).toBe(1);
  });

  it('is given the time that it asks for', async () => {
    const delays: number[] = [];
    const sleep = async (delayMs: number): Promise<void> => void delays.push(delayMs);
    double.faults.push(first(1, isPut, saying(503, 'SlowDown', { 'retry-after': '4' })));
    double.faults.push(first(1, isPut, saying(503, 'SlowDown', { 'retry-after': '86400' })));
    await double.newStore({ sleep }).put('file', Buffer.from('x'));
    expect(delays).toEqual([4000, 15_000]);
  });

  it('is given up after the stated number of attempts', async () => {
    double.faults.push(first(100, isPut, saying(503, 'SlowDown')));
    const failure = await failureOf(double.newStore().put('file', Buffer.from('x')));
    expect(failure).toMatchObject({ code: 'storage_busy', retryable: true });
    expect(failure.message).toContain('write file');
    expect(failure.message).toContain('SlowDown: as the test asked');
    expect(double.seen).toHaveLength(8);
  });

  it('is asked again when it cuts the connection', async () => {
    double.faults.push(first(2, isPut, (response) => response.destroy()));
    await double.newStore().put('file', Buffer.from('x'));
    expect(double.seen).toHaveLength(3);
  });

  it('is asked again when it does not answer in time', async () => {
    double.faults.push(first(1, isPut, () => undefined));
    await double.newStore({ idleTimeoutMs: 200 }).put('file', Buffer.from('x'));
    expect(double.seen.length).toBeGreaterThan(1);
    expect(double.objects.size).toBe(1);
  });

  it('that never answers is called unreachable, and slow', async () => {
    double.faults.push(first(100, isPut, () => undefined));
    const retryPolicy = { attemptsMax: 2, firstDelayMs: 1, delayMaxMs: 1 };
    const store = double.newStore({ idleTimeoutMs: 30, retryPolicy });
    const failure = await failureOf(store.put('file', Buffer.from('x')));
    expect(failure).toMatchObject({ code: 'storage_unreachable', retryable: true });
    expect(failure.message).toContain('nothing moved for 30 ms');
    expect(failure.hint).toContain('too slow');
  });

  it('that is not there is called unreachable', async () => {
    const gone = await S3Double.start();
    const store = gone.newStore();
    gone.stop();
    const failure = await failureOf(store.check());
    expect(failure.code).toBe('storage_unreachable');
    expect(failure.message).toContain('ECONNREFUSED');
    expect(failure.hint).toContain('Check the endpoint');
  });

  it('is left alone once the program stops', async () => {
    const stopping = new AbortController();
    double.faults.push(first(100, isPut, () => stopping.abort()));
    const store = double.newStore({ signal: stopping.signal });
    expect(await failureOf(store.put('file', Buffer.from('x')))).toMatchObject({
      code: 'storage_stopped',
    });
    expect(await failureOf(store.get('file'))).toMatchObject({ code: 'storage_stopped' });
    expect(double.seen).toHaveLength(1);
  });

  it.each([
    [403, 'AccessDenied', 'storage_denied', 's3:PutObject'],
    [403, 'ExpiredToken', 'storage_denied', 'session token has run out'],
    [404, 'NoSuchBucket', 'storage_bucket_missing', 'Create the bucket'],
    [507, 'XMinioStorageFull', 'storage_full', 'Free space'],
    [400, 'MalformedThing', 'storage_failed', 'what the server says'],
  ])('that says %i %s is not asked again', async (status, said, code, hint) => {
    double.faults.push(first(100, isPut, saying(status, said)));
    const failure = await failureOf(double.newStore().put('file', Buffer.from('x')));
    expect(failure).toMatchObject({ code, retryable: false });
    expect(failure.hint).toContain(hint);
    expect(double.seen).toHaveLength(1);
  });

  it('says by how much the clock is wrong', async () => {
    const nowMs = Date.UTC(2026, 0, 1, 12);
    const date = new Date(nowMs + 5_400_000).toUTCString();
    double.faults.push(first(100, () => true, saying(403, 'RequestTimeTooSkewed', { date })));
    const failure = await failureOf(double.newStore({ clock: { nowMs: () => nowMs } }).check());
    expect(failure.code).toBe('storage_clock_skew');
    expect(failure.hint).toContain('5400 s behind the server');
  });

  it.each([301, 400])(
    'says in which region the bucket is, by %i without a document',
    async (status) => {
      const headers = { 'x-amz-bucket-region': 'eu-west-3' };
      double.faults.push((_, response) => {
        response.writeHead(status, headers).end();
        return true;
      });
      const failure = await failureOf(double.newStore().stat('file'));
      expect(failure.code).toBe('storage_region_wrong');
      expect(failure.hint).toContain('region=eu-west-3');
    },
  );

  it('is recognised as something else than S3', async () => {
    double.faults.push((_, response) => {
      response.end('<!doctype html><html><body>Welcome<br></body></html>');
      return true;
    });
    const failure = await failureOf(double.newStore().check());
    expect(failure.code).toBe('storage_response_invalid');
    expect(failure.hint).toContain('endpoint');
  });
});

describe('B2: writing unless there is something', () => {
  it('knows its own object when the first answer was lost', async () => {
    double.faults.push(
      first(1, isPut, (response, act) => {
        act();
        response.destroy();
      }),
    );
    expect(await double.newStore().putIfAbsent('claim', Buffer.from('mine'))).toBe(true);
  });

  it("knows another's object when the first answer was lost", async () => {
    double.faults.push((request, response) => {
      if (!isPut(request) || double.objects.size > 0) return false;
      double.objects.set(request.key, { body: Buffer.from('theirs'), metadata: {}, modifiedMs: 0 });
      response.destroy();
      return true;
    });
    expect(await double.newStore().putIfAbsent('claim', Buffer.from('mine'))).toBe(false);
  });

  it('comes again when the server has two of them at once', async () => {
    double.faults.push(first(2, isPut, saying(409, 'ConditionalRequestConflict')));
    expect(await double.newStore().putIfAbsent('claim', Buffer.from('mine'))).toBe(true);
  });

  it('looks before it writes where the server ignores the condition', async () => {
    double.honoursConditions = false;
    const store = double.newStore();
    expect(await store.probeConditionalWrites()).toBe('ignored');
    expect(await store.putIfAbsent('claim', Buffer.from('first'))).toBe(true);
    expect(await store.putIfAbsent('claim', Buffer.from('second'))).toBe(false);
    expect(Buffer.from(await store.get('claim')).toString()).toBe('first');
  });

  it('does without the condition where the server refuses it', async () => {
    double.faults.push((request, response) => {
      if (request.headers['if-none-match'] === undefined) return false;
      saying(501, 'NotImplemented')(response);
      return true;
    });
    expect(await double.newStore().probeConditionalWrites()).toBe('refused');
    const store = double.newStore();
    expect(await store.putIfAbsent('claim', Buffer.from('first'))).toBe(true);
    expect(await store.putIfAbsent('claim', Buffer.from('second'))).toBe(false);
    expect(double.seen.findLast((seen) => seen.includes('tandem-probe'))).toMatch(/^DELETE/);
  });

  it('saves the look once the server is known to honour the condition', async () => {
    const store = double.newStore();
    expect(await store.probeConditionalWrites()).toBe('honoured');
    double.seen.length = 0;
    expect(await store.putIfAbsent('claim', Buffer.from('mine'))).toBe(true);
    expect(await store.probeConditionalWrites()).toBe('honoured');
    expect(double.seen).toEqual(['PUT store/claim']);
  });
});

describe('reading', () => {
  const body = Buffer.alloc(300_000, 'tandem');

  /** Promises the whole and sends a part. */
  function truncated(count: number): Fault {
    let left = count;
    return (request, response) => {
      const stored = double.objects.get(request.key);
      if (!isGet(request) || left === 0 || stored === undefined) return false;
      left -= 1;
      const start = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
      const etag = '"71e80d4a"';
      const rest = stored.body.subarray(start);
      response.writeHead(start === 0 ? 200 : 206, { 'content-length': rest.length, etag });
      response.write(rest.subarray(0, 70_000), () => response.destroy());
      return true;
    };
  }

  it('a whole object again when its body breaks off', async () => {
    const store = double.newStore();
    await store.put('file', body);
    double.faults.push(truncated(3));
    expect(body.equals(await store.get('file'))).toBe(true);
  });

  it('goes on in a stream where the body broke off', async () => {
    const store = double.newStore();
    await store.put('file', body);
    double.faults.push(truncated(10));
    expect((await bytesOf(store.stream('file'))).equals(body)).toBe(true);
    expect(double.seen.filter((seen) => seen.startsWith('GET')).length).toBeGreaterThan(3);
  });

  it('goes on in a stream that stood still', async () => {
    const store = double.newStore({ idleTimeoutMs: 200 });
    await store.put('file', body);
    double.faults.push((request, response) => {
      if (!isGet(request) || request.headers.range !== undefined) return false;
      const etag = `"${createHash('md5').update(body).digest('hex')}"`;
      response.writeHead(200, { 'content-length': body.length, etag });
      response.write(body.subarray(0, 1000));
      return true;
    });
    expect((await bytesOf(store.stream('file'))).equals(body)).toBe(true);
    expect(double.seen.filter((seen) => seen === 'GET store/file').length).toBeGreaterThan(1);
  });

  it('stops with a clear word when the object is replaced meanwhile', async () => {
    const store = double.newStore();
    await store.put('file', body);
    double.faults.push(truncated(1));
    expect(await failureOf(bytesOf(store.stream('file')))).toMatchObject({
      code: 'storage_changed',
      retryable: true,
    });
  });

  it('gives up on a stream that never gets anywhere', async () => {
    const store = double.newStore();
    await store.put('file', body);
    double.faults.push((request, response) => {
      if (!isGet(request)) return false;
      const status = request.headers.range === undefined ? 200 : 206;
      response.writeHead(status, { 'content-length': 300_000, etag: '"x"' }).flushHeaders();
      response.destroy();
      return true;
    });
    const failure = await failureOf(bytesOf(store.stream('file')));
    expect(failure.code).toBe('storage_unreachable');
  });

  it('takes its part when the server sends everything', async () => {
    const store = double.newStore();
    await store.put('file', Buffer.from('abcdef'));
    double.faults.push((request, response) => {
      if (!isGet(request)) return false;
      response.end('abcdef');
      return true;
    });
    const part = await store.get('file', { offset: 2, lengthBytes: 3 });
    expect(Buffer.from(part).toString()).toBe('cde');
  });
});

describe('listing', () => {
  it.each([true, false])('goes through many pages, with tokens: %s', async (givesTokens) => {
    const store = double.newStore();
    const keys = Array.from({ length: 25 }, (_, index) => `db/${String(index).padStart(2, '0')}`);
    for (const key of keys) await store.put(key, Buffer.from(key));
    double.pageObjectsMax = 4;
    double.givesTokens = givesTokens;
    expect((await collected(store.list('db/'))).map(({ key }) => key)).toEqual(keys);
    const after = await collected(store.list('', { after: 'db/20' }));
    expect(after.map(({ key }) => key)).toEqual(keys.slice(21));
  });

  it('leaves out other stores of the bucket and what is no key of ours', async () => {
    const store = double.newStore();
    await store.put('db/file', Buffer.from('x'));
    const stored = { body: Buffer.of(), metadata: {}, modifiedMs: 0 };
    for (const key of ['store/db/', 'store0/file', 'store/a//b', 'other'])
      double.objects.set(key, stored);
    expect((await collected(store.list(''))).map(({ key }) => key)).toEqual(['db/file']);
  });

  it.each([false, true])(
    'refuses a server that sends the same page for ever (token: %s)',
    async (hasToken) => {
      double.faults.push((_, response) => {
        const token = hasToken ? '<NextContinuationToken>t</NextContinuationToken>' : '';
        response.end(
          `<ListBucketResult><IsTruncated>true</IsTruncated>${token}</ListBucketResult>`,
        );
        return true;
      });
      expect(await failureOf(collected(double.newStore().list('')))).toMatchObject({
        code: 'storage_response_invalid',
      });
    },
  );

  it('refuses pages that are out of order', async () => {
    const store = double.newStore();
    await store.put('b', Buffer.from('x'));
    let page = 0;
    double.faults.push((_, response) => {
      page += 1;
      const entry = `<Contents><Key>store/b</Key><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>`;
      const token = `<NextContinuationToken>${page}</NextContinuationToken>`;
      response.end(
        `<ListBucketResult><IsTruncated>true</IsTruncated>${token}${entry}</ListBucketResult>`,
      );
      return true;
    });
    const failure = await failureOf(collected(store.list('')));
    expect(failure.message).toBe('The server lists store/b on a page after store/b');
  });
});

describe('B1: uploading in parts', () => {
  const MEBIBYTE = 1024 * 1024;
  const body = Buffer.alloc(11 * MEBIBYTE, 'parts of a snapshot ');
  const isPart = ({ method, query }: DoubleRequest): boolean =>
    method === 'PUT' && query.has('partNumber');

  it('makes parts of one size, with the time of the content on the whole', async () => {
    const sizes: number[] = [];
    double.faults.push((request) => {
      if (isPart(request)) sizes.push(request.body.length);
      return false;
    });
    const store = double.newStore();
    await store.put('large', body, { createdMs: 1_700_000_000_123 });
    expect(sizes).toEqual([5 * MEBIBYTE, 5 * MEBIBYTE, MEBIBYTE]);
    expect(await store.stat('large')).toMatchObject({ createdMs: 1_700_000_000_123 });
    expect(body.equals(await store.get('large'))).toBe(true);
    expect(double.uploads.size).toBe(0);
  });

  it('sends a part again that failed', async () => {
    double.faults.push(first(2, isPart, saying(503, 'SlowDown')));
    const store = double.newStore();
    const chunks = streamed([body.subarray(0, 7), body.subarray(7)]);
    await store.put('large', { sizeBytes: body.length, chunks });
    expect(body.equals(await store.get('large'))).toBe(true);
  });

  it('removes the parts when one cannot be written', async () => {
    let count = 0;
    double.faults.push((request, response) => {
      if (!isPart(request)) return false;
      count += 1;
      if (count < 3) return false;
      saying(403, 'AccessDenied')(response);
      return true;
    });
    const failure = await failureOf(double.newStore().put('large', body));
    expect(failure.message).toContain('write part 3 of large');
    expect(double.uploads.size).toBe(0);
    expect(double.objects.size).toBe(0);
  });

  it('notices a failure that comes with 200', async () => {
    double.faults.push(first(1, isComplete, saying(200, 'InternalError')));
    const failure = await failureOf(double.newStore().put('large', body));
    expect(failure).toMatchObject({ code: 'storage_failed', retryable: true });
    expect(failure.message).toContain('InternalError');
    expect(double.uploads.size).toBe(0);
  });

  it('knows that the upload ended although the answer was lost', async () => {
    double.faults.push(
      first(1, isComplete, (response, act) => {
        act();
        response.destroy();
      }),
    );
    const store = double.newStore();
    await store.put('large', body);
    expect(body.equals(await store.get('large'))).toBe(true);
  });

  it('does not take a vanished upload for one that ended', async () => {
    double.faults.push((request) => {
      if (isComplete(request)) double.uploads.clear();
      return false;
    });
    const failure = await failureOf(double.newStore().put('large', body));
    expect(failure.message).toContain('NoSuchUpload');
  });
});

describe('B4: the files of a backup in a bucket', () => {
  it('lie where Litestream looks, with its metadata', async () => {
    const store = double.newStore();
    const createdMs = Date.UTC(2026, 2, 4, 5, 6, 7, 89);
    const range = { level: 9, minTxid: 1, maxTxid: 255 };
    await store.put(ltxKey(store.layout, 'app.db', range), Buffer.from('ltx'), { createdMs });
    const [[key, stored] = ['', undefined]] = double.objects;
    expect(key).toBe('store/app.db/0009/0000000000000001-00000000000000ff.ltx');
    expect(stored?.metadata).toEqual({
      'x-amz-meta-litestream-timestamp': '2026-03-04T05:06:07.089Z',
    });
  });

  it('are found with their exact times when asked', async () => {
    const store = double.newStore();
    for (let txid = 1; txid <= 20; txid += 1) {
      const key = ltxKey(store.layout, 'app.db', { level: 0, minTxid: txid, maxTxid: txid });
      await store.put(key, Buffer.from('ltx'), { createdMs: 1_000_000 + txid });
    }
    await store.put('app.db/0000/0000000000000001-0000000000000001.ltx.tmp', Buffer.from('x'));
    await store.put('app.db2/0000/0000000000000001-0000000000000001.ltx', Buffer.from('x'));
    const exact = await listLtxFiles(store, 'app.db', { times: 'exact' });
    expect(exact.map(({ createdMs, minTxid }) => createdMs - minTxid)).toEqual(
      Array.from({ length: 20 }, () => 1_000_000),
    );
    const listed = await listLtxFiles(store, 'app.db', { times: 'listed' });
    expect(listed).toHaveLength(20);
    expect(listed.every(({ createdMs }) => createdMs > 1_700_000_000_000)).toBe(true);
  });

  it('that vanish between the listing and the look are left out', async () => {
    const store = double.newStore();
    for (const txid of [1, 2]) {
      const key = ltxKey(store.layout, 'app.db', { level: 0, minTxid: txid, maxTxid: txid });
      await store.put(key, Buffer.from('ltx'));
    }
    double.faults.push((request) => {
      if (request.method === 'HEAD' && request.key.endsWith('1.ltx'))
        double.objects.delete(request.key);
      return false;
    });
    const exact = await listLtxFiles(store, 'app.db', { times: 'exact' });
    expect(exact.map(({ minTxid }) => minTxid)).toEqual([2]);
  });
});
