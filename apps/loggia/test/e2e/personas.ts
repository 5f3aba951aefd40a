import { FIREFOX } from '../test-server.ts';
import type { Persona } from './visitor.ts';

/** Comes from the Netherlands, with Chrome on Windows. */
export const ADA: Persona = {
  userAgent:
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) ' +
    'Chrome/140.0.0.0 Safari/537.36',
  viewport: { width: 1280, height: 720 },
  locale: 'nl-NL',
  address: '193.0.6.139',
};

/** Comes from the United States, with an iPhone. */
export const BERT: Persona = {
  userAgent:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 ' +
    '(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  viewport: { width: 390, height: 844 },
  locale: 'en-US',
  address: '8.8.8.8',
};

/** Comes from a private network, with Firefox on Linux. */
export const CLEO: Persona = {
  userAgent: FIREFOX,
  viewport: { width: 1440, height: 720 },
  locale: 'de-DE',
};

/** Reads pages for a search engine. */
export const CRAWLER: Persona = {
  userAgent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  viewport: { width: 1280, height: 720 },
  locale: 'en-US',
};
