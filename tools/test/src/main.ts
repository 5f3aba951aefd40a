import { fileURLToPath } from 'node:url';
import { CONDITIONS } from './condition.ts';
import { USAGE, parsePlan } from './plan.ts';
import { runSuite } from './suite.ts';
import { exceptionLines, judge, summaryLine } from './verdict.ts';

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

const plan = parsePlan(process.argv.slice(2));
if (plan === undefined) {
  process.stderr.write(USAGE);
  process.exit(2);
}

const interruption = new AbortController();
let signalNumber = 0;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    signalNumber = SIGNAL_NUMBERS[name];
    interruption.abort();
  });
}

const outcomes = await runSuite(plan, {
  root: fileURLToPath(new URL('../../..', import.meta.url)),
  signal: interruption.signal,
  announce: (title) => process.stdout.write(`\n== ${title}\n`),
});
const strict = !['', '0', 'false'].includes(process.env.CI ?? '');
const judged = judge(outcomes, { strict, conditions: CONDITIONS });
process.stdout.write(['', ...exceptionLines(judged), summaryLine(judged), ''].join('\n'));
const isFailed = judged.some(({ state }) => state === 'failed');
process.exitCode = signalNumber === 0 ? Number(isFailed) : 128 + signalNumber;
