import { expect, test } from 'vitest';
import { LocalNode } from './fault-local-node.ts';
import { simulate } from './fault-simulation.ts';
import { faultSeconds, faultSeeds } from './fault-settings.ts';

const TROUBLES = ['one', 'many'] as const;

for (const [index, seed] of faultSeeds().entries()) {
  const troubles = TROUBLES[index % 2] ?? 'one';
  test(`seed ${seed}, ${troubles} at a time: nothing confirmed is lost`, async () => {
    const outcome = await simulate({
      seed,
      durationMs: 1000 * faultSeconds(),
      troubles,
      makeNode: () => LocalNode.make(),
    });
    console.log(`seed ${seed}, ${troubles} at a time: ${JSON.stringify(outcome.counts)}`);
    if (outcome.violations.length > 0) console.log(outcome.story.join('\n'));
    expect(outcome.violations).toEqual([]);
    expect(outcome.counts.confirmed.majority).toBeGreaterThan(0);
  });
}
