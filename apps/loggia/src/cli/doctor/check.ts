/** One thing that the doctor has looked at. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failure';
  readonly message: string;
  /** What to do about it; null when all is well. */
  readonly hint: string | null;
}

/** All is well. */
export function ok(name: string, message: string): Check {
  return { name, status: 'ok', message, hint: null };
}

/** It works, but something about it will surprise somebody. */
export function warning(name: string, message: string, hint: string): Check {
  return { name, status: 'warning', message, hint };
}

/** It does not work. */
export function failure(name: string, message: string, hint: string): Check {
  return { name, status: 'failure', message, hint };
}
