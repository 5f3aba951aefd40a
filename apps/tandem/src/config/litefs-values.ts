import type { GivenValue } from './given-value.ts';
import type { GivenValues } from './overriding-values.ts';

/** The values of a `litefs.yml` by its own keys. */
export type LitefsValues = ReadonlyMap<string, GivenValue>;

/** What the translation needs besides the file. */
export interface LitefsContext {
  /** The name of this node when the file does not say. */
  readonly ownName: string;
  /** What flags and variables give, which wins over the file. */
  readonly overrides: GivenValues;
}
