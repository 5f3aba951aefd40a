import type { Condition } from './condition.ts';
import type { Outcome } from './outcome.ts';

/** How strict to be about skipped tests. */
export interface Terms {
  /** Whether a skip needs an excuse that the machine confirms, as in continuous integration. */
  readonly strict: boolean;
  readonly conditions: Readonly<Record<string, Condition>>;
}

/**
 * What the outcomes amount to. A skip stays a skip only with a reason; it counts as failed
 *
 * - when it gives none (`.skip`, `.todo`, a forgotten `.only` beside it),
 * - when it says `needs X` and this machine has X, so that nothing can be switched off quietly,
 * - when `strict`, unless it says `needs X`, X is an optional condition, and the machine lacks it.
 */
export function judge(outcomes: readonly Outcome[], terms: Terms): Outcome[] {
  const given = new Map<string, boolean>();
  const isGiven = (name: string, condition: Condition): boolean => {
    const known = given.get(name) ?? condition.isGiven();
    given.set(name, known);
    return known;
  };
  return outcomes.map((outcome) => {
    if (outcome.state !== 'skipped') return outcome;
    const fault = skipFault(outcome.reason, terms, isGiven);
    return fault === undefined ? outcome : { ...outcome, state: 'failed', reason: fault };
  });
}

function skipFault(
  reason: string | undefined,
  { strict, conditions }: Terms,
  isGiven: (name: string, condition: Condition) => boolean,
): string | undefined {
  if (reason === undefined || reason.trim() === '') return 'skipped without a reason';
  const name = /^needs (?<name>[a-z0-9-]+)(?::|$)/.exec(reason)?.groups?.name;
  const condition = name === undefined ? undefined : conditions[name];
  if (name === undefined || condition === undefined) {
    return strict ? `skipped for no condition that is known: ${reason}` : undefined;
  }
  if (isGiven(name, condition)) return `skipped although '${name}' is given here: ${reason}`;
  return strict && !condition.isOptional
    ? `skipped, and that is not excused: ${reason}`
    : undefined;
}

/** `N passed, N failed`, and `, N skipped` when there are any. */
export function summaryLine(outcomes: readonly Outcome[]): string {
  const count = (state: Outcome['state']): number =>
    outcomes.filter((outcome) => outcome.state === state).length;
  const skipped = count('skipped');
  const counts = `${count('passed')} passed, ${count('failed')} failed`;
  return skipped === 0 ? counts : `${counts}, ${skipped} skipped`;
}

/** One line for each outcome that is not a pass: what, and why. */
export function exceptionLines(outcomes: readonly Outcome[]): string[] {
  return (['skipped', 'failed'] as const).flatMap((state) =>
    outcomes
      .filter((outcome) => outcome.state === state)
      .map(({ name, reason }) => `${state}: ${name}${reason === undefined ? '' : ` (${reason})`}`),
  );
}
