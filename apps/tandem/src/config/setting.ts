import type { ParseNode } from './parse-text.ts';

/** One key of the configuration: how it is read and explained. */
export interface Setting<Value> {
  readonly parse: ParseNode<Value>;
  /** The default as text, which `parse` reads like any other; null: there is none. */
  readonly defaultText: string | null;
  /** What holds instead of a default, for the documentation. */
  readonly otherwise: string;
  /** What may be written, as the end of a sentence that begins with 'write'. */
  readonly expects: string;
  readonly example: string;
  /** One or two sentences for the documentation. */
  readonly summary: string;
  /** Whether its value must not be shown. */
  readonly isSecret: boolean;
}

type Described = Pick<Setting<unknown>, 'expects' | 'example' | 'summary'> & {
  readonly isSecret?: boolean;
};

/** A key with a default. */
export function setting<Value>(
  entry: Described & { readonly parse: ParseNode<Value>; readonly defaultText: string },
): Setting<Value> {
  return { otherwise: '', isSecret: false, ...entry };
}

/** A key without a default, whose value is null when it is not given. */
export function optional<Value>(
  entry: Described & { readonly parse: ParseNode<Value>; readonly otherwise?: string },
): Setting<Value | null> {
  return { otherwise: '', isSecret: false, ...entry, defaultText: null };
}
