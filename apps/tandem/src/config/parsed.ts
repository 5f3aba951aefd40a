/**
 * What became of a value's text: the value, or a clause that says what is wrong and fits after
 * 'which' (`is not a number`).
 */
export type Parsed<Value> = { readonly value: Value } | { readonly problem: string };

/** What a text is read against. */
export interface ParseContext {
  /** The absolute folder that relative paths begin at. */
  readonly folder: string;
}

/** Reads one text. */
export type ParseText<Value> = (text: string, context: ParseContext) => Parsed<Value>;
