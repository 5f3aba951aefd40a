import { describe, expect, test } from 'vitest';
import { ProcessNode } from './fault-process-node.ts';
import { faultPlan } from './fault-settings.ts';
import { simulate } from './fault-simulation.ts';

const USUAL_SECONDS = 20;
const { seeds, durationMs } = faultPlan(USUAL_SECONDS);

describe.each(seeds)('three processes, killed and paused, seed %i', (seed) => {
  const troubles = seed % 2 === 0 ? 'one' : 'many';

  test(`lose nothing that was confirmed, with ${troubles} at a time going wrong`, async () => {
    const makeNode = () => ProcessNode.make();
    const outcome = await simulate({ seed, durationMs, troubles, makeNode });
    console.log(`seed ${seed}, ${troubles} at a time: ${JSON.stringify(outcome.counts)}`);
    if (outcome.violations.length > 0) console.log(outcome.story.join('\n'));
    expect(outcome.violations).toEqual([]);
    expect(outcome.counts.confirmed.majority).toBeGreaterThan(0);
  });
});
