/** Values a page may give for a property; anything else is the server's to refuse. */
export type Properties = Readonly<Record<string, string | number | boolean>>;

export interface Revenue {
  readonly amount: number | string;
  readonly currency: string;
}

/** What `plausible(name, options)` takes. */
export interface EventOptions {
  readonly props?: Properties;
  /** The older name of `props`. */
  readonly meta?: Properties;
  readonly revenue?: Revenue;
  /** False: the event does not turn a bounce into a visit with interaction. */
  readonly interactive?: boolean;
  /** Counts the event for this address instead of the one in the address bar. */
  readonly u?: string;
  readonly url?: string;
  /** Called once: with the answer's status, with the failure, or with nothing if not sent. */
  readonly callback?: (outcome?: Outcome) => void;
}

export type Outcome = { readonly status: number } | { readonly error: unknown };

/** The body of `POST /api/event`; `JSON.stringify` leaves out what is undefined. */
export interface Payload {
  n: string;
  u: string;
  d: string | undefined;
  r: string | null;
  /** Width of the viewport in CSS pixels. */
  w: number;
  p: Properties | undefined;
  $: Revenue | undefined;
  i: boolean | undefined;
  h?: 1;
  /** Deepest part of the page seen, in per cent of its height. */
  sd?: number;
  /** Milliseconds of attention since the last ping. */
  e?: number;
}
