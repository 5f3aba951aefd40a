export interface ErrorDetails {
  /** The underlying failure. */
  readonly cause?: unknown;
  /** What an operator can do about it, as one sentence. */
  readonly hint?: string;
  /** True when the same call may succeed later without any change. */
  readonly retryable?: boolean;
}

/**
 * An operating failure with a stable code. Each package has one subclass with its own table of
 * codes; `docs/reference/errors.md` lists them all, and a test compares the two.
 */
export class BaseError<Code extends string = string> extends Error {
  override readonly name: string = 'BaseError';
  readonly code: Code;
  readonly hint: string | undefined;
  readonly retryable: boolean;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.retryable = details.retryable ?? false;
  }
}
