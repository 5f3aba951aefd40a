/** A broken promise of the program to itself. It is never caught to go on. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/**
 * Stops at a programmer's error. Assertions stay on in production.
 *
 * @throws AssertionError when `condition` is false; `message` says what should have held.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
