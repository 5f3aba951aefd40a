import type { NewEvent, NewVisit } from '../src/tail-row.ts';

/** A visit of one page view by visitor 7 to site 1 at 1,000 ms, with `change` applied. */
export function sampleVisit(change: Partial<NewVisit> = {}): NewVisit {
  return {
    site_id: 1,
    visitor: 7n,
    start_ms: 1000,
    last_ms: 1000,
    pageviews: 1,
    events: 1,
    bounce: 1,
    entry_hostname: 'example.org',
    entry_page: '/',
    entry_ms: 1000,
    exit_hostname: 'example.org',
    exit_page: '/',
    exit_ms: 1000,
    source: 'Google',
    referrer: 'google.com',
    channel: 'Organic Search',
    utm_medium: null,
    utm_source: null,
    utm_campaign: null,
    utm_content: null,
    utm_term: null,
    click_id: null,
    country: 'DE',
    region: 'DE-BE',
    region_name: 'Berlin',
    city: '2950159',
    city_name: 'Berlin',
    browser: 'Firefox',
    browser_version: '140',
    os: 'GNU/Linux',
    os_version: null,
    device: 'Desktop',
    screen: 'Desktop',
    language: 'de',
    ...change,
  };
}

/** A page view by visitor 7 of visit 1 on site 1 at 1,000 ms, with `change` applied. */
export function sampleEvent(change: Partial<NewEvent> = {}): NewEvent {
  return {
    site_id: 1,
    visit_id: 1,
    visitor: 7n,
    time_ms: 1000,
    name: 'pageview',
    hostname: 'example.org',
    page: '/',
    properties: null,
    revenue_milli: null,
    revenue_currency: null,
    interactive: 1,
    scroll_depth: null,
    engaged_ms: null,
    ...change,
  };
}
