import { describe, expect, it } from 'vitest';
import { isAutomated } from './automation.ts';
import { parseUserAgent } from './user-agent.ts';

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const IOS_WEBKIT = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)';
const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)';
const LINUX = 'Mozilla/5.0 (X11; Linux x86_64)';
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X)';
const PIXEL = 'Mozilla/5.0 (Linux; Android 14; Pixel 8)';
const ANDROID_10 = 'Mozilla/5.0 (Linux; Android 10; K)';

/** User agent; browser and version | system and version | device. */
const REAL: readonly (readonly [string, string])[] = [
  [`${WINDOWS} ${WEBKIT} Chrome/126.0.0.0 Safari/537.36`, 'Chrome 126.0 | Windows 10 | Desktop'],
  [`${MAC} ${WEBKIT} Chrome/125.0.0.0 Safari/537.36`, 'Chrome 125.0 | Mac 10.15 | Desktop'],
  [`${LINUX} ${WEBKIT} Chrome/120.0.0.0 Safari/537.36`, 'Chrome 120.0 | GNU/Linux - | Desktop'],
  [
    `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${WEBKIT} Chrome/126.0.0.0 Safari/537.36`,
    'Chrome 126.0 | Chrome OS 14541.0 | Desktop',
  ],
  [
    `${ANDROID_10} ${WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36`,
    'Chrome 126.0 | Android 10 | Mobile',
  ],
  [`${ANDROID_10} ${WEBKIT} Chrome/126.0.0.0 Safari/537.36`, 'Chrome 126.0 | Android 10 | Tablet'],
  [
    `${IPHONE} ${IOS_WEBKIT} CriOS/126.0.6478.35 Mobile/15E148 Safari/604.1`,
    'Chrome 126.0 | iOS 17.5 | Mobile',
  ],
  [
    `${IPHONE} ${IOS_WEBKIT} Version/17.5 Mobile/15E148 Safari/604.1`,
    'Safari 17.5 | iOS 17.5 | Mobile',
  ],
  [
    `Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) ${IOS_WEBKIT} Version/16.6 Mobile/15E148 Safari/604.1`,
    'Safari 16.6 | iOS 16.6 | Tablet',
  ],
  [
    `Mozilla/5.0 (iPod touch; CPU iPhone OS 12_5 like Mac OS X) ${IOS_WEBKIT} Version/12.1.2 Mobile/15E148 Safari/604.1`,
    'Safari 12.1 | iOS 12.5 | Mobile',
  ],
  [`${MAC} ${IOS_WEBKIT} Version/17.4.1 Safari/605.1.15`, 'Safari 17.4 | Mac 10.15 | Desktop'],
  [
    'Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10_6_8; de-at) AppleWebKit/533.21.1 (KHTML, like Gecko) Version/5.0.5 Safari/533.21.1',
    'Safari 5.0 | Mac 10.6 | Desktop',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0',
    'Firefox 127.0 | Windows 10 | Desktop',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0',
    'Firefox 127.0 | Mac 10.15 | Desktop',
  ],
  [
    'Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0',
    'Firefox 126.0 | GNU/Linux - | Desktop',
  ],
  [
    'Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0',
    'Firefox 127.0 | Android 14 | Mobile',
  ],
  [
    'Mozilla/5.0 (Android 13; Tablet; rv:109.0) Gecko/115.0 Firefox/115.0',
    'Firefox 115.0 | Android 13 | Tablet',
  ],
  [
    `${IPHONE} ${IOS_WEBKIT} FxiOS/127.0 Mobile/15E148 Safari/605.1.15`,
    'Firefox 127.0 | iOS 17.5 | Mobile',
  ],
  [
    'Mozilla/5.0 (X11; FreeBSD amd64; rv:120.0) Gecko/20100101 Firefox/120.0',
    'Firefox 120.0 | FreeBSD - | Desktop',
  ],
  [
    `${WINDOWS} ${WEBKIT} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.56`,
    'Microsoft Edge 126.0 | Windows 10 | Desktop',
  ],
  [
    `${WINDOWS} ${WEBKIT} Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763`,
    'Microsoft Edge 18.17763 | Windows 10 | Desktop',
  ],
  [
    `${ANDROID_10} ${WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36 EdgA/126.0.2592.56`,
    'Microsoft Edge 126.0 | Android 10 | Mobile',
  ],
  [
    `${IPHONE} ${IOS_WEBKIT} Version/17.0 EdgiOS/126.0.2592.56 Mobile/15E148 Safari/605.1.15`,
    'Microsoft Edge 126.0 | iOS 17.5 | Mobile',
  ],
  [
    `${WINDOWS} ${WEBKIT} Chrome/124.0.0.0 Safari/537.36 OPR/110.0.0.0`,
    'Opera 110.0 | Windows 10 | Desktop',
  ],
  [
    `${ANDROID_10} ${WEBKIT} Chrome/124.0.0.0 Mobile Safari/537.36 OPR/82.0.0.0`,
    'Opera 82.0 | Android 10 | Mobile',
  ],
  [
    'Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16',
    'Opera 36.2 | Android - | Mobile',
  ],
  [
    'Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18',
    'Opera 12.18 | Windows 7 | Desktop',
  ],
  [
    `${IPHONE} ${IOS_WEBKIT} Version/17.5 Mobile/15E148 Safari/604.1 OPT/4.7.0`,
    'Opera 4.7 | iOS 17.5 | Mobile',
  ],
  [
    `${ANDROID_10} ${WEBKIT} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36`,
    'Samsung Browser 25.0 | Android 10 | Mobile',
  ],
  [
    `Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-X706B) ${WEBKIT} SamsungBrowser/23.0 Chrome/115.0.0.0 Safari/537.36`,
    'Samsung Browser 23.0 | Android 13 | Tablet',
  ],
  [
    `${WINDOWS} ${WEBKIT} Chrome/124.0.0.0 YaBrowser/24.6.0.0 Safari/537.36`,
    'Yandex Browser 24.6 | Windows 10 | Desktop',
  ],
  [
    `${LINUX} ${WEBKIT} Chrome/122.0.0.0 Safari/537.36 Vivaldi/6.6.3271.61`,
    'Vivaldi 6.6 | GNU/Linux - | Desktop',
  ],
  [
    `${PIXEL} ${WEBKIT} Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 DuckDuckGo/5`,
    'DuckDuckGo Privacy Browser 5 | Android 14 | Mobile',
  ],
  [
    `${MAC} ${IOS_WEBKIT} Version/17.5 Safari/605.1.15 Ddg/17.5`,
    'DuckDuckGo Privacy Browser 17.5 | Mac 10.15 | Desktop',
  ],
  [
    `Mozilla/5.0 (Linux; U; Android 11; en-US; RMX2101) ${WEBKIT} Version/4.0 Chrome/100.0.4896.58 UCBrowser/13.4.0.1306 Mobile Safari/537.36`,
    'UC Browser 13.4 | Android 11 | Mobile',
  ],
  [
    `Mozilla/5.0 (Linux; Android 12; HarmonyOS; ALN-AL00) ${WEBKIT} Chrome/99.0.4844.88 HuaweiBrowser/14.0.5.302 Mobile Safari/537.36`,
    'Huawei Browser 14.0 | HarmonyOS - | Mobile',
  ],
  [
    `Mozilla/5.0 (Linux; U; Android 13; zh-cn; 2211133C) ${WEBKIT} Version/4.0 Chrome/109.0.5414.118 Mobile Safari/537.36 XiaoMi/MiuiBrowser/18.2.50423`,
    'MIUI Browser 18.2 | Android 13 | Mobile',
  ],
  [
    `${LINUX} ${WEBKIT} Silk/126.2 like Chrome/126.0.0.0 Safari/537.36`,
    'Silk 126.2 | GNU/Linux - | Tablet',
  ],
  [
    `${WINDOWS} ${WEBKIT} Chrome/124.0.0.0 Whale/3.26.244.21 Safari/537.36`,
    'Whale Browser 3.26 | Windows 10 | Desktop',
  ],
  [
    `${MAC} ${WEBKIT} MyApp/1.0.0 Chrome/120.0.6099.56 Electron/28.0.0 Safari/537.36`,
    'Electron 28.0 | Mac 10.15 | Desktop',
  ],
  [
    `Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A.240505.004; wv) ${WEBKIT} Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36`,
    'Mobile App 125.0 | Android 14 | Mobile',
  ],
  [
    `${IPHONE} ${IOS_WEBKIT} Mobile/15E148 [FBAN/FBIOS;FBAV/467.0.0.31.104;FBDV/iPhone15,2]`,
    'Mobile App - | iOS 17.5 | Mobile',
  ],
  [
    `${IPHONE} ${IOS_WEBKIT} Mobile/21F90 Instagram 336.0.0.30.90 (iPhone15,2; iOS 17_5_1)`,
    'Mobile App 336.0 | iOS 17.5 | Mobile',
  ],
  [`${IPHONE} ${IOS_WEBKIT} Mobile/15E148`, 'Mobile App - | iOS 17.5 | Mobile'],
  [
    'Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko',
    'Internet Explorer 11.0 | Windows 7 | Desktop',
  ],
  [
    'Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0)',
    'Internet Explorer 8.0 | Windows XP | Desktop',
  ],
  [
    'Mozilla/5.0 (Linux; U; Android 4.0.3; de-de; GT-I9100) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30',
    'Android Browser 4.0 | Android 4.0 | Mobile',
  ],
  [
    'Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5',
    'Firefox 48.0 | KaiOS 2.5 | Mobile',
  ],
  [
    `Mozilla/5.0 (Windows NT 6.3; Win64; x64) ${WEBKIT} Chrome/109.0.0.0 Safari/537.36`,
    'Chrome 109.0 | Windows 8.1 | Desktop',
  ],
  [
    `Mozilla/5.0 (Linux; Android 9; AFTKA) ${WEBKIT} Chrome/120.0.0.0 Safari/537.36`,
    'Chrome 120.0 | Android 9 | Desktop',
  ],
];

function summary(userAgent: string): string {
  const { browser, browserVersion, os, osVersion, device } = parseUserAgent(userAgent);
  return `${browser} ${browserVersion ?? '-'} | ${os} ${osVersion ?? '-'} | ${device}`;
}

describe('parseUserAgent', () => {
  it.each(REAL)('%s', (userAgent, expected) => {
    expect(summary(userAgent)).toBe(expected);
  });

  it('a text that says nothing gives nothing', () => {
    expect(Object.values(parseUserAgent('')).every((value) => value === null)).toBe(true);
    expect(Object.values(parseUserAgent('something else')).every((v) => v === null)).toBe(true);
  });

  it('reads texts made of many half matches', () => {
    const hostile = [
      `iPhone ${'OS '.repeat(300)}`,
      'Version/1'.repeat(100),
      'Android '.repeat(120),
    ];
    for (const text of hostile) expect(parseUserAgent(text).browserVersion).toBeNull();
  });
});

const CRAWLERS: readonly string[] = [
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
  'Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)',
  'Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)',
  'DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)',
  'Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)',
  'Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)',
  'Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)',
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.1; +https://openai.com/gptbot)',
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)',
  'CCBot/2.0 (https://commoncrawl.org/faq/)',
  'Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)',
  `${PIXEL} ${WEBKIT} Chrome/125.0.0.0 Mobile Safari/537.36 (compatible; GoogleOther)`,
  `${WINDOWS} ${WEBKIT} Chrome/69.0.3497.81 YisouSpider/5.0 Safari/537.36`,
  'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
  'Twitterbot/1.0',
  'LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)',
  'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
  'TelegramBot (like TwitterBot)',
  'Mozilla/5.0 (compatible; Applebot/0.1; +http://www.apple.com/go/applebot)',
  'Mozilla/5.0 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)',
  'Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)',
  'Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)',
  'Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)',
  `${LINUX} ${WEBKIT} HeadlessChrome/126.0.0.0 Safari/537.36`,
  'Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1',
  `${WINDOWS} ${WEBKIT} Chrome/126.0.0.0 Safari/537.36 Playwright/1.45`,
  `${WINDOWS} ${WEBKIT} Chrome/94.0.4590.2 Safari/537.36 Chrome-Lighthouse`,
  'curl/8.5.0',
  'Wget/1.21.4',
  'python-requests/2.32.3',
  'Python/3.12 aiohttp/3.9.5',
  'Go-http-client/2.0',
  'okhttp/4.12.0',
  'axios/1.7.2',
  'node-fetch/1.0 (+https://github.com/bitinn/node-fetch)',
  'Java/17.0.2',
  'libwww-perl/6.67',
  'PostmanRuntime/7.39.0',
  'undici',
  '',
  '   ',
  '-',
];

describe('isAutomated', () => {
  it.each(CRAWLERS)('%s is automated', (userAgent) => {
    expect(isAutomated(userAgent)).toBe(true);
  });

  it.each(REAL.map(([userAgent]) => userAgent))('%s is a person', (userAgent) => {
    expect(isAutomated(userAgent)).toBe(false);
  });

  it('a telephone by the name of Cubot is a person', () => {
    const cubot = `Mozilla/5.0 (Linux; Android 12; CUBOT P60) ${WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36`;
    expect(isAutomated(cubot)).toBe(false);
  });
});
