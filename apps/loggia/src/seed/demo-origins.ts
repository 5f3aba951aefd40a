import type { VisitAttributes } from '@loggia/contract';
import type { DemoPage } from './demo-pages.ts';

/** Where a visit comes from, and what that says about it. */
export interface DemoOrigin {
  readonly attributes: Pick<
    VisitAttributes,
    | 'source'
    | 'referrer'
    | 'channel'
    | 'utm_medium'
    | 'utm_source'
    | 'utm_campaign'
    | 'utm_content'
    | 'utm_term'
    | 'click_id'
  >;
  readonly weight: number;
  /** The kinds of pages that its visits begin on; null for any. */
  readonly landing: readonly DemoPage['kind'][] | null;
  /** The share of its visits that end on the first page. */
  readonly bounceRate: number;
  /** The months, 1 to 12, in which it sends visits; null for all. */
  readonly months: readonly number[] | null;
}

const UNTAGGED = {
  utm_medium: null,
  utm_source: null,
  utm_campaign: null,
  utm_content: null,
  utm_term: null,
  click_id: null,
} as const;

/** Visits from typed addresses, bookmarks and apps that tell nothing. */
export const DIRECT: DemoOrigin = {
  attributes: { ...UNTAGGED, source: null, referrer: null, channel: 'Direct' },
  weight: 30,
  landing: null,
  bounceRate: 0.38,
  months: null,
};

/** The link that makes a day stand out now and then. */
export const SPIKE: DemoOrigin = {
  ...referral('Hacker News', 'news.ycombinator.com/item', 'Organic Social', 0),
  landing: ['blog'],
  bounceRate: 0.72,
};

export const DEMO_ORIGINS: readonly DemoOrigin[] = [
  DIRECT,
  referral('Google', 'google.com', 'Organic Search', 26),
  referral('Bing', 'bing.com', 'Organic Search', 4),
  referral('DuckDuckGo', 'duckduckgo.com', 'Organic Search', 5),
  referral('Ecosia', 'ecosia.org', 'Organic Search', 1),
  { ...referral('Hacker News', 'news.ycombinator.com', 'Organic Social', 4), landing: ['blog'] },
  { ...referral('Reddit', 'reddit.com/r/selfhosted', 'Organic Social', 3), bounceRate: 0.6 },
  referral('Mastodon', 'mastodon.social', 'Organic Social', 2),
  referral('LinkedIn', 'linkedin.com', 'Organic Social', 1.5),
  { ...referral('GitHub', 'github.com/topics/analytics', 'Organic Social', 6), landing: ['docs'] },
  referral('YouTube', 'youtube.com', 'Organic Video', 1.2),
  referral('ChatGPT', 'chatgpt.com', 'AI Assistants', 3),
  referral('Perplexity', 'perplexity.ai', 'AI Assistants', 1),
  referral('planet.example', 'planet.example/links', 'Referral', 1.6),
  referral('magazine.example', 'magazine.example/2026/tools', 'Referral', 1.1),
  campaign(
    {
      channel: 'Email',
      utm_source: 'newsletter',
      utm_medium: 'email',
      utm_campaign: 'monthly-letter',
    },
    { weight: 4.5, landing: ['blog', 'pricing'] },
  ),
  campaign(
    {
      channel: 'Paid Search',
      source: 'Google',
      utm_source: 'google',
      utm_medium: 'cpc',
      utm_campaign: 'spring-launch',
      utm_term: 'web analytics',
      click_id: 'gclid',
    },
    { weight: 3.5, landing: ['pricing', 'home'], months: [3, 4, 5] },
  ),
  campaign(
    {
      channel: 'Organic Social',
      source: 'Mastodon',
      utm_source: 'mastodon',
      utm_medium: 'social',
      utm_campaign: 'autumn-release',
    },
    { weight: 2.5, landing: ['home', 'blog'], months: [9, 10, 11] },
  ),
  campaign(
    {
      channel: 'Display',
      utm_source: 'planet.example',
      utm_medium: 'banner',
      utm_campaign: 'sidebar',
      utm_content: 'blue-square',
    },
    { weight: 1.2, bounceRate: 0.66 },
  ),
];

function referral(source: string, referrer: string, channel: string, weight: number): DemoOrigin {
  return {
    attributes: { ...UNTAGGED, source, referrer, channel },
    weight,
    landing: null,
    bounceRate: 0.47,
    months: null,
  };
}

function campaign(
  attributes: Partial<DemoOrigin['attributes']> & { readonly channel: string },
  rest: Partial<DemoOrigin> & { readonly weight: number },
): DemoOrigin {
  return {
    attributes: {
      ...UNTAGGED,
      source: attributes.utm_source ?? null,
      referrer: null,
      ...attributes,
    },
    landing: null,
    bounceRate: 0.42,
    months: null,
    ...rest,
  };
}
