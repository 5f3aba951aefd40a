import { element, filters, settings } from './kernel.ts';

/** Whether one of the patterns in the attribute fits the page. */
function fits(attribute: string, fallback: boolean): boolean {
  const patterns = element.getAttribute(attribute);
  if (!patterns) return fallback;
  const page = location.pathname + (settings.hashBasedRouting ? location.hash : '');
  return patterns.split(',').some((pattern) =>
    new RegExp(
      `^${pattern
        .trim()
        .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
        .replace(/\*+/g, (stars) => (stars[1] ? '.*' : '[^/]*'))}/?$`,
    ).test(page),
  );
}

filters.push(
  (payload) =>
    (payload.n !== 'pageview' || (fits('data-include', true) && !fits('data-exclude', false))) &&
    payload,
);
