import type { CampaignTags } from './campaign-tags.ts';
import type { Source } from './source-names.ts';
import type { SourceCategory } from './source-catalogue.ts';

/** Every channel, in the order in which they are tried; the first that fits is a visit's channel. */
export const CHANNELS = [
  'Cross-network',
  'Paid Shopping',
  'Paid Search',
  'Paid Social',
  'Paid Video',
  'Display',
  'Paid Other',
  'Organic Shopping',
  'Organic Social',
  'Organic Video',
  'Organic Search',
  'Email',
  'Affiliates',
  'Audio',
  'SMS',
  'Mobile Push Notifications',
  'AI Assistants',
  'Referral',
  'Direct',
] as const;

export type Channel = (typeof CHANNELS)[number];

const PAID_MEDIUM = /^(?:.*cp.*|ppc|retargeting|paid.*)$/;
const SHOPPING_CAMPAIGN = /(?:^|[^a-df-z])shop|shopping/;
const EMAIL_TAG = /^(?:e[-_ ]?mail|newsletter)$/;
const DISPLAY_MEDIA = ['display', 'banner', 'expandable', 'interstitial', 'cpm'];
const SOCIAL_MEDIUM = /^(?:social(?:[- ](?:network|media))?|sm)$/;
const REFERRAL_MEDIA = ['referral', 'app', 'link'];
const GOOGLE_CLICK_IDS = ['gclid', 'gbraid', 'wbraid'];

/**
 * The channel of a visit, in the order of Google Analytics 4 with the assistants added. Tags count
 * whatever their case.
 */
export function channelOf(source: Source | null, tags: CampaignTags): Channel {
  const medium = (tags.utmMedium ?? '').toLowerCase();
  const campaign = (tags.utmCampaign ?? '').toLowerCase();
  if (campaign.includes('cross-network')) return 'Cross-network';
  const isShopping = isOf(source, 'shopping') || SHOPPING_CAMPAIGN.test(campaign);
  return (
    paidChannel(source, tags, { medium, isShopping }) ??
    organicChannel(source, medium, isShopping) ??
    otherChannel(source, tags, medium)
  );
}

function paidChannel(
  source: Source | null,
  tags: CampaignTags,
  { medium, isShopping }: { readonly medium: string; readonly isShopping: boolean },
): Channel | undefined {
  const isPaidMedium = PAID_MEDIUM.test(medium);
  const isPaid = isPaidMedium || source?.isPaid === true;
  if (isShopping && isPaid) return 'Paid Shopping';
  if (isOf(source, 'search') && (isPaid || isPaidClick(source, tags))) return 'Paid Search';
  if (isSocial(source) && isPaid) return 'Paid Social';
  if (isOf(source, 'video') && isPaid) return 'Paid Video';
  if (DISPLAY_MEDIA.includes(medium)) return 'Display';
  return isPaidMedium ? 'Paid Other' : undefined;
}

function organicChannel(
  source: Source | null,
  medium: string,
  isShopping: boolean,
): Channel | undefined {
  if (isShopping) return 'Organic Shopping';
  if (isSocial(source) || SOCIAL_MEDIUM.test(medium)) return 'Organic Social';
  if (isOf(source, 'video') || medium.includes('video')) return 'Organic Video';
  return isOf(source, 'search') ? 'Organic Search' : undefined;
}

function otherChannel(source: Source | null, tags: CampaignTags, medium: string): Channel {
  const sourceTag = (tags.utmSource ?? tags.source ?? tags.ref ?? '').toLowerCase();
  const isEmailTag = EMAIL_TAG.test(sourceTag) || EMAIL_TAG.test(medium);
  if (isOf(source, 'email') || isEmailTag) return 'Email';
  if (medium === 'affiliate' || medium === 'affiliates') return 'Affiliates';
  if (medium === 'audio') return 'Audio';
  if (sourceTag === 'sms' || medium === 'sms') return 'SMS';
  const isPush = medium.endsWith('push') || /mobile|notification/.test(medium);
  if (isPush || sourceTag === 'firebase') return 'Mobile Push Notifications';
  if (isOf(source, 'ai')) return 'AI Assistants';
  return source !== null || REFERRAL_MEDIA.includes(medium) ? 'Referral' : 'Direct';
}

function isOf(source: Source | null, category: SourceCategory): boolean {
  return source !== null && source.category === category;
}

/** Messengers and forges are places where people share links, as Plausible has it too. */
function isSocial(source: Source | null): boolean {
  return isOf(source, 'social') || isOf(source, 'chat') || isOf(source, 'code');
}

/** Google and Bing append these click ids to advertisements only. */
function isPaidClick(source: Source | null, { clickId }: CampaignTags): boolean {
  if (clickId === null) return false;
  if (source?.name === 'Google') return GOOGLE_CLICK_IDS.includes(clickId);
  return source?.name === 'Bing' && clickId === 'msclkid';
}
