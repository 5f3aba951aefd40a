import type { Column, EVENT_COLUMNS, VISIT_COLUMNS } from '@loggia/contract';

/** The JavaScript value of a column: bigint for `int64`, number for `int` and `flag`, else text. */
type ValueOf<Of extends Column> =
  | (Of['type'] extends 'int64' ? bigint : Of['type'] extends 'int' | 'flag' ? number : string)
  | (Of['nullable'] extends true ? null : never);

type RowOf<Columns extends readonly Column[]> = {
  readonly [Of in Columns[number] as Of['name']]: ValueOf<Of>;
};

/** A row of `event`: its keys are exactly the names in `EVENT_COLUMNS`. */
export type EventRow = RowOf<typeof EVENT_COLUMNS>;

/** A row of `visit`: its keys are exactly the names in `VISIT_COLUMNS`. */
export type VisitRow = RowOf<typeof VISIT_COLUMNS>;

/** An event that has no id yet. */
export type NewEvent = Omit<EventRow, 'id'>;

/** A visit that has no id yet. */
export type NewVisit = Omit<VisitRow, 'id'>;
