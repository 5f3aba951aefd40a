/**
 * What the first event of a visit says about the whole visit. The names are those of
 * `VISIT_COLUMNS`, and so are their meanings.
 */
export interface VisitAttributes {
  readonly source: string | null;
  readonly referrer: string | null;
  readonly channel: string;
  readonly utm_medium: string | null;
  readonly utm_source: string | null;
  readonly utm_campaign: string | null;
  readonly utm_content: string | null;
  readonly utm_term: string | null;
  /** The name of the click id parameter in the address (`gclid`, `msclkid` …), never its value. */
  readonly click_id: string | null;
  readonly country: string | null;
  readonly region: string | null;
  readonly region_name: string | null;
  readonly city: string | null;
  readonly city_name: string | null;
  readonly browser: string | null;
  readonly browser_version: string | null;
  readonly os: string | null;
  readonly os_version: string | null;
  readonly device: string | null;
  readonly screen: string | null;
  readonly language: string | null;
}

/**
 * A validated and enriched hit for one site, ready for the journal's writer. It is plain data: it
 * crosses threads, and later nodes, unchanged. It holds neither address nor user agent.
 */
export interface Hit {
  readonly siteId: number;
  /** The event's own time. */
  readonly timeMs: number;
  /** The visitor's id under the salt of the site's date at `timeMs`. */
  readonly visitor: bigint;
  /**
   * The same person's id under the salt of the date before; null when that salt is gone, and when no
   * visit that began under it can still wait for its first event of the new date.
   */
  readonly visitorBefore: bigint | null;
  /** `pageview`, `engagement` or a custom event's name. */
  readonly name: string;
  readonly hostname: string;
  readonly page: string;
  /** JSON text of a flat object of strings with at least one key. */
  readonly properties: string | null;
  readonly revenueMilli: number | null;
  readonly revenueCurrency: string | null;
  readonly interactive: boolean;
  readonly scrollDepth: number | null;
  readonly engagedMs: number | null;
  readonly attributes: VisitAttributes;
  /** The sender's id of this event; the same id is stored once per site. */
  readonly dedupeId: string | null;
}
