import type { Goal, Hit } from '@loggia/contract';
import { attributesOf, entryOf, exitOf, type ModelVisit } from './visits.ts';

const countryNames = new Intl.DisplayNames(['en'], { type: 'region' });

/** What `dimension` is for an event of a visit; null when nothing is known. */
export function valueOf(dimension: string, visit: ModelVisit, hit: Hit): string | null {
  const [scope, name = '', property = ''] = dimension.split(/:(.*?)(?::(.*))?$/);
  if (scope === 'event' && name === 'props') return propertyOf(hit, property);
  if (scope === 'event') return eventValue(name, hit);
  return visitValue(name, visit);
}

/** 'A missing … property is the value `(none)`', and an empty one is a missing one. */
function propertyOf(hit: Hit, property: string): string | null {
  if (hit.properties === null) return null;
  const properties = new Map(Object.entries(JSON.parse(hit.properties) as Record<string, string>));
  return properties.get(property) ?? null;
}

function eventValue(name: string, hit: Hit): string | null {
  if (name === 'page') return hit.page;
  if (name === 'hostname') return hit.hostname;
  if (name === 'name') return hit.name;
  throw new Error(`event:${name} is no dimension`);
}

function visitValue(name: string, visit: ModelVisit): string | null {
  const known = attributesOf(visit);
  switch (name) {
    case 'entry_page':
      return entryOf(visit)?.page ?? null;
    case 'exit_page':
      return exitOf(visit)?.page ?? null;
    case 'entry_page_hostname':
      return entryOf(visit)?.hostname ?? null;
    case 'exit_page_hostname':
      return exitOf(visit)?.hostname ?? null;
    case 'country_name':
      return known.country === null ? null : (countryNames.of(known.country) ?? known.country);
    default: {
      const value = new Map(Object.entries(known)).get(name);
      if (value === undefined) throw new Error(`visit:${name} is no dimension`);
      return value;
    }
  }
}

/**
 * 'Labels for nothing, as Plausible's: source and referrer `Direct / None`, tags, places, devices
 * and entry or exit page `(not set)`, properties `(none)`.'
 */
export function labelForNothing(dimension: string): string {
  if (dimension === 'visit:source' || dimension === 'visit:referrer') return 'Direct / None';
  return dimension.startsWith('event:props:') ? '(none)' : '(not set)';
}

/** Whether a hit reaches `goal`: 'a page of that pattern scrolled to' is what pings tell. */
export function reaches(goal: Goal, hit: Hit): boolean {
  if (goal.kind === 'event') return hit.name === goal.eventName;
  if (!pageMatches(goal.pagePattern ?? '', hit.page)) return false;
  if (goal.kind === 'page') return hit.name === 'pageview';
  return (hit.scrollDepth ?? -1) >= (goal.scrollThreshold ?? 0);
}

const WILDCARDS = new Map([
  ['**', '.*'],
  ['*', '[^/]*'],
]);

/** 'A page view of a path; `*` within a segment, `**` across.' */
export function pageMatches(pattern: string, page: string): boolean {
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) => WILDCARDS.get(part) ?? part.replaceAll(/[^\w/-]/g, String.raw`\$&`))
    .join('');
  return new RegExp(`^${source}$`, 's').test(page);
}
