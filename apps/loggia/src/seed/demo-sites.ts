import type { NewGoal } from '@loggia/journal';

/** A site that `loggia seed` makes. */
export interface DemoSitePlan {
  readonly domain: string;
  readonly timezone: string;
  /** Its part of all hits, relative to the other sites' parts. */
  readonly share: number;
}

/** The sites that are made when none is named, the largest first. */
export const DEMO_SITES: readonly DemoSitePlan[] = [
  { domain: 'demo.loggia.example', timezone: 'Europe/Berlin', share: 75 },
  { domain: 'blog.loggia.example', timezone: 'America/New_York', share: 17 },
  { domain: 'shop.loggia.example', timezone: 'Asia/Tokyo', share: 8 },
];

/** Custom properties that the demo's events carry. */
export const DEMO_PROPERTIES: readonly string[] = ['author', 'plan', 'method', 'period', 'video'];

/** The goals of a demo site. */
export function demoGoals(siteId: number): readonly NewGoal[] {
  return [
    { siteId, kind: 'event', eventName: 'Signup' },
    { siteId, kind: 'event', eventName: 'Purchase', currency: 'EUR' },
    { siteId, kind: 'event', eventName: 'File Download' },
    { siteId, kind: 'event', eventName: 'Outbound Link: Click' },
    { siteId, kind: 'event', eventName: '404' },
    { siteId, kind: 'page', pagePattern: '/pricing' },
    { siteId, kind: 'page', pagePattern: '/blog/**' },
    { siteId, kind: 'scroll', pagePattern: '/blog/**', scrollThreshold: 75 },
  ];
}
