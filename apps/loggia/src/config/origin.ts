/** Where a value came from. `name` is the flag, variable or file; empty for a default. */
export interface Origin {
  readonly kind: 'flag' | 'environment' | 'file' | 'default';
  readonly name: string;
  /** The text the value was read from. */
  readonly text: string;
}
