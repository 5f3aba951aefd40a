import type { Site } from '@loggia/contract';

/** The host of a site's domain, which may have a path. */
export function siteHost({ domain }: Site): string {
  return domain.split('/', 1)[0] ?? domain;
}
