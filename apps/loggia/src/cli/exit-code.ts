/** What the exit codes of all commands mean; `usage` is also a wrong value or configuration. */
export const EXIT_CODES = { ok: 0, failure: 1, usage: 2 } as const;
