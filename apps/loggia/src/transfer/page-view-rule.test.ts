import { expect, it } from 'vitest';
import type { LogEntry } from './log-entry.ts';
import { reasonNoPageView } from './page-view-rule.ts';

const VIEW: LogEntry = {
  timeMs: 0,
  address: null,
  forwardedFor: null,
  method: 'GET',
  target: '/',
  host: null,
  status: 200,
  referrer: null,
  userAgent: '',
  acceptLanguage: null,
  contentType: null,
  isPrefetch: false,
  fetchDest: null,
};

it.each([
  ['the start page', {}, null],
  ['a page with an ending', { target: '/a/b.html?x=y.css' }, null],
  ['a name with a point', { target: '/people/ada.lovelace' }, null],
  ['what had not changed', { status: 304 }, null],
  ['a host of its own', { host: 'example.org' }, null],
  ['a page by its type', { target: '/feed.xml', contentType: 'text/html; charset=utf-8' }, null],
  ['a style sheet', { target: '/a.css?v=3' }, 'asset'],
  ['a picture in capitals', { target: '/A.PNG' }, 'asset'],
  ['a picture by its type', { target: '/a', contentType: 'image/png' }, 'asset'],
  ['what a program fetched', { fetchDest: 'empty' }, 'asset'],
  ['a well-known address', { target: '/.well-known/security' }, 'asset'],
  ['a part of a file', { status: 206 }, 'not_given'],
  ['a redirect', { status: 301 }, 'not_given'],
  ['an error', { status: 404 }, 'not_given'],
  ['a form', { method: 'POST' }, 'not_get'],
  ['what is no request', { method: '', target: '' }, 'not_get'],
  ['another host', { host: 'other.example' }, 'other_host'],
  ['what may never be looked at', { isPrefetch: true }, 'prefetch'],
] as const)('%s', (_, change, reason) => {
  expect(reasonNoPageView({ ...VIEW, ...change }, (host) => host === 'example.org')).toBe(reason);
});
