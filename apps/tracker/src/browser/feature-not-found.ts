import { filters, track } from './kernel.ts';

/** Whether the page said that it is missing: by its HTTP status, or in words for crawlers. */
function isMissing(): boolean {
  const [navigation] = performance.getEntriesByType(
    'navigation',
  ) as unknown as PerformanceNavigationTiming[];
  return (
    navigation?.responseStatus === 404 ||
    !!document.querySelector('meta[name="prerender-status-code"][content="404"]')
  );
}

let told = false;

// The last filter, so that only a view that is counted makes the page a missing one.
filters.push((payload) => {
  if (payload.n === 'pageview' && !told) {
    told = true;
    if (isMissing()) {
      const path = location.pathname;
      void Promise.resolve().then(() => track('404', { props: { path }, interactive: false }));
    }
  }
  return payload;
});
