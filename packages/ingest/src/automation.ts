import { isbot } from 'isbot';

/**
 * Signs of automated browsers and of libraries that fetch pages, beside the crawlers that `isbot`
 * knows. Electron is left out on purpose: its applications are used by people, and an application
 * that carries a tracker wants them counted.
 */
const AUTOMATION = new RegExp(
  [
    'HeadlessChrome',
    'PhantomJS',
    'SlimerJS',
    'CasperJS',
    'Nightmare',
    'Puppeteer',
    'Playwright',
    'Selenium',
    'WebDriver',
    'Cypress',
    'TestCafe',
    'Splash/',
    'jsdom',
    'HtmlUnit',
    'Chrome-Lighthouse',
    'GTmetrix',
    'PageSpeed',
    'Prerender',
    'Rendertron',
    '^(?:curl|Wget|HTTPie|axios|node-fetch|undici|got|okhttp|Go-http-client|Java)(?:[/ ]|$)',
    '^(?:python|Python|aiohttp|httpx|libwww-perl|Ruby|PHP|Guzzle|GuzzleHttp|Apache-HttpClient)\\b',
    '^(?:PostmanRuntime|insomnia|Dart|reqwest|Faraday|RestSharp|WinHTTP|Deno|Bun)(?:[/ ]|$)',
  ].join('|'),
);

/** The shortest user agents of real browsers are longer than this. */
const LENGTH_MIN = 10;

/**
 * Whether `userAgent` is that of a crawler, a monitor, an automated browser or a library. An empty
 * one is: every browser sends one.
 */
export function isAutomated(userAgent: string): boolean {
  const trimmed = userAgent.trim();
  return trimmed.length < LENGTH_MIN || AUTOMATION.test(trimmed) || isbot(trimmed);
}
