/**
 * Why a well-formed event was not stored. The answer is 202 all the same, with the reason in
 * `x-loggia-dropped`; the owner sees a count of each.
 */
export const DROP_REASONS = {
  unknown_site: 'No site of that name exists here.',
  bot: 'The user agent is a crawler, a monitor or an automated browser.',
  datacentre: 'The address belongs to a hosting company, and the site leaves those out.',
  spam_referrer: 'The referrer is a known spammer.',
  excluded_page: 'The site leaves this page out.',
  excluded_address: 'The site leaves this address out.',
  host_not_allowed: 'The page is on a host that the site does not allow.',
  opted_out: 'The browser asked not to be counted, and the site honours that.',
  no_visit: 'An engagement ping came without a visit under way.',
} as const;

export type DropReason = keyof typeof DROP_REASONS;
