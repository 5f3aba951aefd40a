/** The pages of a demo site: some three hundred, the first the most visited. */
export interface DemoPage {
  readonly path: string;
  readonly kind: 'home' | 'pricing' | 'docs' | 'blog' | 'product' | 'other';
  /** Set for blog posts only. */
  readonly author: string | null;
}

const AUTHORS = ['Ada', 'Grace', 'Linus', 'Margaret'];
const DOCS = [
  'install quick-start configuration docker kubernetes backups upgrades goals custom-events',
  'revenue filters api keys sites users tracker single-page-apps opt-out proxies nginx',
  'caddy apache cdn import export retention privacy troubleshooting glossary performance',
  'metrics',
].flatMap((words) => words.split(' '));
const DOCS_SECTIONS = ['', 'guides/', 'reference/'];
const TOPICS = [
  'privacy cookies sqlite analytics small-servers static-sites newsletters landing-pages',
  'open-source page-speed dashboards bounce-rates referrers campaigns search-engines',
  'time-zones backups',
].flatMap((words) => words.split(' '));
const ANGLES = [
  'a-short-guide-to what-we-learned-about ten-questions-about the-cost-of',
  'thinking-twice-about a-history-of measuring getting-started-with the-trouble-with',
  'notes-on',
].flatMap((words) => words.split(' '));
const PRODUCTS = ['cloud', 'self-hosted', 'agency', 'schools', 'shops', 'publishers', 'charities'];
const PRODUCT_PAGES = ['', '/features', '/customers', '/faq'];

/** All pages in the order of their popularity. */
export const DEMO_PAGES: readonly DemoPage[] = interleave([
  [
    page('/', 'home'),
    page('/pricing', 'pricing'),
    page('/features', 'other'),
    page('/docs', 'docs'),
    page('/blog', 'other'),
    page('/download', 'other'),
    page('/about', 'other'),
    page('/changelog', 'other'),
    page('/contact', 'other'),
    page('/imprint', 'other'),
    page('/privacy', 'other'),
  ],
  DOCS.flatMap((topic) => DOCS_SECTIONS.map((section) => page(`/docs/${section}${topic}`, 'docs'))),
  TOPICS.flatMap((topic, row) =>
    ANGLES.map((angle, column) => ({
      path: `/blog/${angle}-${topic}`,
      kind: 'blog' as const,
      author: AUTHORS[(row + column) % AUTHORS.length] ?? null,
    })),
  ),
  PRODUCTS.flatMap((name) => PRODUCT_PAGES.map((rest) => page(`/for/${name}${rest}`, 'product'))),
]);

/** Zipf's law: the page of rank n is visited about 1/n as often as the first. */
export function popularityOf(rank: number): number {
  return 1 / (rank + 1) ** 0.95;
}

function page(path: string, kind: DemoPage['kind']): DemoPage {
  return { path, kind, author: null };
}

/** The first of each list, then the second of each, and so on. */
function interleave(lists: readonly (readonly DemoPage[])[]): readonly DemoPage[] {
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, rank) =>
    lists.flatMap((list) => list[rank] ?? []),
  ).flat();
}
