/** What became of one test or check. */
export interface Outcome {
  /** The file and the test's full name, or the check's name. */
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped, in the test's own words; or why it counts as failed. */
  readonly reason?: string;
}

/** Whether `value`, which another process wrote, is a list of outcomes. */
export function isOutcomes(value: unknown): value is Outcome[] {
  return Array.isArray(value) && value.every(isOutcome);
}

function isOutcome(value: unknown): value is Outcome {
  if (typeof value !== 'object' || value === null) return false;
  if (!('name' in value) || typeof value.name !== 'string' || !('state' in value)) return false;
  if ('reason' in value && typeof value.reason !== 'string') return false;
  return ['passed', 'failed', 'skipped'].some((state) => state === value.state);
}
