import { BENCH_DOMAIN, type SampleEvent } from './sample-events.ts';

/** The whole request that a browser behind a reverse proxy makes for `event`, in bytes. */
export function eventRequest({ body, address, userAgent, language }: SampleEvent): Buffer {
  const text = JSON.stringify(body);
  return Buffer.from(
    'POST /api/event HTTP/1.1\r\n' +
      `Host: ${BENCH_DOMAIN}\r\n` +
      `User-Agent: ${userAgent}\r\n` +
      'Accept: */*\r\n' +
      `Accept-Language: ${language}\r\n` +
      'Accept-Encoding: gzip, deflate, br\r\n' +
      `Origin: https://${BENCH_DOMAIN}\r\n` +
      `Referer: https://${BENCH_DOMAIN}/\r\n` +
      `X-Forwarded-For: ${address}\r\n` +
      'Content-Type: text/plain\r\n' +
      `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
