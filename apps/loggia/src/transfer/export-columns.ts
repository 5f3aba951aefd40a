import type { ParquetKind } from '@loggia/warehouse';

/** `json` is text of a JSON object; the others are those of Parquet files. */
export type ExportKind = ParquetKind | 'json';

/** One column of an export. Names, meanings and order are a contract: new ones come last. */
export interface ExportColumn {
  readonly name: string;
  readonly kind: ExportKind;
  /** Where the value is: of the event, of its visit, or of the site. */
  readonly of: 'event' | 'visit' | 'site';
  /** The column of the table `event` or `visit`, or the site's property. */
  readonly from: string;
  readonly meaning: string;
}

const site = make('site');
const event = make('event');
const visit = make('visit');

export const EXPORT_COLUMNS: readonly ExportColumn[] = [
  site('site', 'text', 'domain', "The site's domain."),
  site('timezone', 'text', 'timezone', "The site's IANA time zone."),
  event('event_id', 'integer', 'id', 'Ascends in the order in which events were stored.'),
  visit('visit_id', 'integer', 'id', 'The same for all events of a visit.'),
  visit(
    'visitor',
    'int64',
    'visitor',
    'A number of 64 bits with a sign; it is another one each day.',
  ),
  event('time', 'time', 'time_ms', "The event's own time."),
  event('name', 'text', 'name', "`pageview`, `engagement`, or a custom event's name."),
  event('hostname', 'text', 'hostname', 'Without `www.`.'),
  event('page', 'text', 'page', 'The path, decoded, without query.'),
  event('properties', 'json', 'properties', 'The custom properties: an object of texts.'),
  event('revenue_milli', 'integer', 'revenue_milli', 'Thousandths of one unit of the currency.'),
  event('revenue_currency', 'text', 'revenue_currency', 'ISO 4217.'),
  event('interactive', 'flag', 'interactive', 'Whether the event ends a bounce.'),
  event('scroll_depth', 'integer', 'scroll_depth', 'Per cent; of engagement pings.'),
  event(
    'engaged_ms',
    'integer',
    'engaged_ms',
    'Milliseconds since the last ping; of engagement pings.',
  ),
  visit('visit_start', 'time', 'start_ms', "The time of the visit's first event."),
  visit('visit_last', 'time', 'last_ms', "The time of the visit's last event."),
  visit('visit_pageviews', 'integer', 'pageviews', 'Page views of the visit.'),
  visit('visit_events', 'integer', 'events', 'Page views and custom events of the visit.'),
  visit('visit_bounce', 'flag', 'bounce', 'Whether the visit is a bounce.'),
  visit('entry_hostname', 'text', 'entry_hostname', 'The host of the first page viewed.'),
  visit('entry_page', 'text', 'entry_page', 'The first page viewed.'),
  visit('entry_time', 'time', 'entry_ms', 'When that was.'),
  visit('exit_hostname', 'text', 'exit_hostname', 'The host of the last page viewed.'),
  visit('exit_page', 'text', 'exit_page', 'The last page viewed.'),
  visit('exit_time', 'time', 'exit_ms', 'When that was.'),
  visit('source', 'text', 'source', 'Empty for direct traffic.'),
  visit('referrer', 'text', 'referrer', 'Host without `www.`, and path.'),
  visit('channel', 'text', 'channel', 'The kind of source.'),
  visit('utm_medium', 'text', 'utm_medium', 'As sent.'),
  visit('utm_source', 'text', 'utm_source', 'As sent.'),
  visit('utm_campaign', 'text', 'utm_campaign', 'As sent.'),
  visit('utm_content', 'text', 'utm_content', 'As sent.'),
  visit('utm_term', 'text', 'utm_term', 'As sent.'),
  visit(
    'click_id',
    'text',
    'click_id',
    'The name of the click id in the address, such as `gclid`.',
  ),
  visit('country', 'text', 'country', 'ISO 3166-1 alpha-2.'),
  visit('region', 'text', 'region', 'ISO 3166-2.'),
  visit('region_name', 'text', 'region_name', 'In English.'),
  visit('city', 'text', 'city', "A GeoNames id or, where there is none, the city's name."),
  visit('city_name', 'text', 'city_name', 'In English.'),
  visit('browser', 'text', 'browser', 'Such as `Firefox`.'),
  visit('browser_version', 'text', 'browser_version', 'Its main number.'),
  visit('os', 'text', 'os', 'Such as `Android`.'),
  visit('os_version', 'text', 'os_version', 'As far as the browser tells.'),
  visit('device', 'text', 'device', '`Desktop`, `Mobile` or `Tablet`.'),
  visit('screen', 'text', 'screen', 'The class of the screen.'),
  visit('language', 'text', 'language', 'The preferred language.'),
];

/** A cell: `json` as text, `flag` as 0 or 1, `time` in milliseconds. */
export type ExportCell = string | number | null;

/** A visit with its events; cells stand in the order of the columns that are of the same thing. */
export interface ExportVisit {
  readonly site: readonly ExportCell[];
  readonly visit: readonly ExportCell[];
  readonly events: readonly (readonly ExportCell[])[];
}

/** The columns that are of one thing, in their order. */
export function columnsOf(owner: ExportColumn['of']): readonly ExportColumn[] {
  return EXPORT_COLUMNS.filter((column) => column.of === owner);
}

type Make = (name: string, kind: ExportKind, from: string, meaning: string) => ExportColumn;

function make(of: ExportColumn['of']): Make {
  return (name, kind, from, meaning) => ({ name, kind, of, from, meaning });
}
