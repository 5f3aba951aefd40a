import { Type, type Static, type TSchema } from 'typebox';

import {
  EVENT_DIMENSIONS,
  FILTER_OPERATORS,
  METRIC_NAMES,
  RELATIVE_RANGES,
  TIME_DIMENSIONS,
  VISIT_DIMENSIONS,
} from './query-names.ts';
import { ROWS_MAX, type QueryFilter } from './query.ts';

const closed = { additionalProperties: false } as const;
const property = Type.String({ pattern: '^event:props:[\\s\\S]+$' });
const filterDimension = Type.Union([
  Type.Enum([...VISIT_DIMENSIONS]),
  Type.Enum([...EVENT_DIMENSIONS]),
  property,
]);
const dimension = Type.Union([filterDimension, Type.Enum([...TIME_DIMENSIONS])]);
const metric = Type.Enum([...METRIC_NAMES]);
const clauses = Type.Array(Type.Union([Type.String(), Type.Integer()]), { minItems: 1 });
const operator = Type.Enum([...FILTER_OPERATORS]);
const modifiers = Type.Object({ case_sensitive: Type.Optional(Type.Boolean()) }, closed);

const filterNode = Type.Cyclic(
  {
    Filter: Type.Union([
      Type.Tuple([operator, filterDimension, clauses]),
      Type.Tuple([operator, filterDimension, clauses, modifiers]),
      Type.Tuple([Type.Enum(['and', 'or']), Type.Array(Type.Ref('Filter'), { minItems: 1 })]),
      Type.Tuple([Type.Enum(['not', 'has_done', 'has_not_done']), Type.Ref('Filter')]),
    ]),
  },
  'Filter',
);

/** Two dates, or two moments with their offset; both ends belong to the range. */
const datePair = Type.Tuple([Type.String(), Type.String()]);

const comparisons = Type.Object(
  {
    mode: Type.Enum(['previous_period', 'year_over_year', 'custom']),
    /** Moves the compared range to begin on the same day of the week. */
    match_day_of_week: Type.Optional(Type.Boolean()),
    /** The compared range; only, and always, with the mode `custom`. */
    date_range: Type.Optional(datePair),
  },
  closed,
);

const include = Type.Object(
  {
    /** Accepted for the sake of clients; there are no imported numbers to include. */
    imports: Type.Optional(Type.Boolean()),
    /** Lists every label of the time dimension in `meta.time_labels`. */
    time_labels: Type.Optional(Type.Boolean()),
    /** Counts the rows of all pages in `meta.total_rows`. */
    total_rows: Type.Optional(Type.Boolean()),
    /** Ends `day`, `month` and `year` at the present hour or day. */
    trim_relative_date_range: Type.Optional(Type.Boolean()),
    comparisons: Type.Optional(comparisons),
  },
  closed,
);

const orderBy = Type.Array(
  Type.Tuple([Type.Union([metric, dimension]), Type.Enum(['asc', 'desc'])]),
);

/** The body of `POST /api/v2/query`. */
export const QueryBody = Type.Object(
  {
    site_id: Type.String({ minLength: 1 }),
    metrics: Type.Array(metric, { minItems: 1, uniqueItems: true }),
    date_range: Type.Union([
      Type.Enum([...RELATIVE_RANGES]),
      Type.String({ pattern: '^[1-9][0-9]{0,3}(d|mo)$' }),
      datePair,
    ]),
    dimensions: Type.Optional(Type.Array(dimension, { uniqueItems: true })),
    filters: Type.Optional(Type.Array(filterNode as TSchema)),
    order_by: Type.Optional(orderBy),
    include: Type.Optional(include),
    pagination: Type.Optional(
      Type.Object(
        {
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: ROWS_MAX })),
          offset: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
        },
        closed,
      ),
    ),
  },
  closed,
);
export type QueryBody = Omit<Static<typeof QueryBody>, 'filters'> & {
  readonly filters?: readonly QueryFilter[];
};
