/**
 * What became of a setting's text: its value, or a clause that says what is wrong with it and fits
 * after 'which' (`is not a number`).
 */
export type Parsed<Value> = { readonly value: Value } | { readonly problem: string };

/** What a setting's text is read against. */
export interface ParseContext {
  /** The absolute folder that relative paths of this text begin at. */
  readonly folder: string;
}
