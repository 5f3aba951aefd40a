import { cleanText } from './clean-text.ts';
import { decodePercent } from './percent-decoding.ts';

/** The tags in a page's query that say where the visit came from; null for one that is absent. */
export interface CampaignTags {
  readonly utmSource: string | null;
  readonly utmMedium: string | null;
  readonly utmCampaign: string | null;
  readonly utmContent: string | null;
  readonly utmTerm: string | null;
  readonly source: string | null;
  readonly ref: string | null;
  /** The name of the first of `CLICK_IDS` that the query has, never its value. */
  readonly clickId: ClickId | null;
}

/**
 * Parameters that advertising systems append to addresses, and the source each belongs to. The
 * first that a query has counts.
 */
export const CLICK_IDS = {
  gclid: 'Google',
  gbraid: 'Google',
  wbraid: 'Google',
  dclid: 'Google',
  msclkid: 'Bing',
  fbclid: 'Facebook',
  igshid: 'Instagram',
  ttclid: 'TikTok',
  twclid: 'Twitter',
  li_fat_id: 'LinkedIn',
  yclid: 'Yandex',
  ScCid: 'Snapchat',
  epik: 'Pinterest',
  rdt_cid: 'Reddit',
  qclid: 'Quora',
} as const;

export type ClickId = keyof typeof CLICK_IDS;

/** Tags are cut to this many UTF-16 units. */
export const TAG_LENGTH_MAX = 500;

const NO_TAGS: CampaignTags = Object.freeze({
  utmSource: null,
  utmMedium: null,
  utmCampaign: null,
  utmContent: null,
  utmTerm: null,
  source: null,
  ref: null,
  clickId: null,
});

const TAG_KEYS: ReadonlySet<string> = new Set([
  'utm_source',
  'utm_medium',
  'utm_campaign',
  'utm_content',
  'utm_term',
  'source',
  'ref',
  ...Object.keys(CLICK_IDS),
]);
const CLICK_ID_NAMES = Object.keys(CLICK_IDS).filter(isClickId);

/**
 * The tags of a raw query. A blank tag is an absent one; of several of one name the first that is
 * not blank counts. `+` is a blank here, as in every form-encoded query.
 */
export function campaignTags(query: string): CampaignTags {
  if (query === '') return NO_TAGS;
  const tags = new Map<string, string>();
  for (const pair of query.split('&')) {
    const equalsAt = pair.indexOf('=');
    if (equalsAt === -1) continue;
    const key = pair.slice(0, equalsAt);
    if (!TAG_KEYS.has(key) || tags.has(key)) continue;
    const value = decodePercent(pair.slice(equalsAt + 1).replaceAll('+', ' ')).trim();
    if (value !== '') tags.set(key, cleanText(value, TAG_LENGTH_MAX));
  }
  if (tags.size === 0) return NO_TAGS;
  return {
    utmSource: tags.get('utm_source') ?? null,
    utmMedium: tags.get('utm_medium') ?? null,
    utmCampaign: tags.get('utm_campaign') ?? null,
    utmContent: tags.get('utm_content') ?? null,
    utmTerm: tags.get('utm_term') ?? null,
    source: tags.get('source') ?? null,
    ref: tags.get('ref') ?? null,
    clickId: CLICK_ID_NAMES.find((name) => tags.has(name)) ?? null,
  };
}

function isClickId(name: string): name is ClickId {
  return Object.hasOwn(CLICK_IDS, name);
}
