import type { SiteSettings } from './site-settings.ts';

export interface Site {
  readonly id: number;
  /** The name that `data-domain` carries: lower case, without scheme; it may have a path. */
  readonly domain: string;
  /** IANA name. The site's days are the days of this zone. */
  readonly timezone: string;
  readonly createdMs: number;
  /** 16 letters and digits that name the site's own script; not a secret. */
  readonly scriptId: string;
  readonly settings: SiteSettings;
  /** When the zone was changed last, 0 when it never was. */
  readonly zoneSinceMs: number;
}

/**
 * What an owner wants visitors to do.
 *
 * - `event`: a custom event of that name; with `currency`, its revenue counts.
 * - `page`: a page view of a path; `*` within a segment, `**` across.
 * - `scroll`: a page of that pattern scrolled to `scrollThreshold` per cent or further.
 */
export interface Goal {
  readonly id: number;
  readonly siteId: number;
  readonly displayName: string;
  readonly kind: 'event' | 'page' | 'scroll';
  readonly eventName: string | null;
  readonly pagePattern: string | null;
  readonly scrollThreshold: number | null;
  readonly currency: string | null;
}
