import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';
import type { Outcome } from './outcome.ts';

/** Names the file that `RecordReporter` writes. */
export const OUTCOMES_FILE_VARIABLE = 'TEST_OUTCOMES_FILE';

/**
 * Writes the outcome of every test to a file. Vitest's own JSON has no place for the reason of a
 * skip, and says nothing of files and suites that broke outside a test.
 */
// oxlint-disable-next-line import/no-default-export -- Vitest loads a reporter's default export
export default class RecordReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const path = process.env[OUTCOMES_FILE_VARIABLE];
    if (path === undefined) throw new Error(`${OUTCOMES_FILE_VARIABLE} names no file`);
    const outcomes = [
      ...modules.flatMap((module) => moduleOutcomes(module)),
      ...unhandled.map((error) => failed('an error outside all tests', error.message)),
    ];
    writeFileSync(path, JSON.stringify(outcomes));
  }
}

function moduleOutcomes(module: TestModule): Outcome[] {
  const file = module.relativeModuleId;
  const outcomes = [...module.children.allTests()].map((test) => testOutcome(file, test));
  for (const error of module.errors()) outcomes.push(failed(file, error.message));
  for (const suite of module.children.allSuites()) {
    for (const error of suite.errors()) {
      outcomes.push(failed(`${file} > ${suite.fullName}`, error.message));
    }
  }
  if (outcomes.length === 0) outcomes.push(failed(file, 'it holds no tests'));
  return outcomes;
}

function testOutcome(file: string, test: TestCase): Outcome {
  const name = `${file} > ${test.fullName}`;
  const result = test.result();
  if (result.state === 'pending') return failed(name, 'it never ended');
  if (result.state === 'failed') return failed(name, result.errors[0]?.message ?? 'no message');
  if (result.state === 'passed') return { name, state: 'passed' };
  return { name, state: 'skipped', ...(result.note === undefined ? {} : { reason: result.note }) };
}

function failed(name: string, message: string): Outcome {
  return { name, state: 'failed', reason: message.split('\n', 1)[0] ?? '' };
}
