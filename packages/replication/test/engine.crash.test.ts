import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pathIn, textsIn } from './engine-nodes.ts';
import { runDaemon, runScenario, type EndedScenario } from './engine-process.ts';
import { readPromises, recover, type Promises } from './engine-promises.ts';
import { ENGINE_STEPS } from './engine-scenario.ts';
import { ForeignProgram, needProgram } from './foreign-program.ts';
import { SeededRandom } from './seeded-random.ts';

/** Rounds of each kind; the soak asks for thousands. */
const ROUNDS = Number(process.env['TANDEM_KILL_ROUNDS'] ?? 15);
const TIMEOUT_MS = 120_000 + ROUNDS * 5000;
const SEED = Number(process.env['TANDEM_KILL_SEED'] ?? Date.now() % 1_000_000);

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-crash-'));
  process.env['NODE_COMPILE_CACHE'] = join(tmpdir(), 'tandem-compile-cache');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function makeHomes(name: string): [string, string] {
  const homes: [string, string] = [join(folder, name, 'a'), join(folder, name, 'b')];
  for (const home of homes) mkdirSync(home, { recursive: true });
  return homes;
}

/** How a scenario ended that should not have; undefined otherwise. */
function faultOf({ isKilled, calls, errors }: EndedScenario): string | undefined {
  if (errors !== '') return errors;
  return isKilled || calls !== undefined ? undefined : 'it ended too early';
}

describe('R6, R7, R10, R11: two nodes and their application, killed together', () => {
  test.each(ENGINE_STEPS)(
    'at any point of what is called "%s" lose nothing that was promised',
    async (focus) => {
      const course = { seed: SEED, steps: 10, focus };
      const whole = runScenario(makeHomes('whole'), course);
      expect(faultOf(whole)).toBe(undefined);
      const calls = whole.calls ?? 0;
      const random = new SeededRandom(SEED);
      for (let round = 0; round < Math.min(calls, ROUNDS / 5); round += 1) {
        // Spread over the calls; all of them when there are as many rounds.
        const killAt = ROUNDS / 5 >= calls ? round + 1 : random.below(calls) + 1;
        const homes = makeHomes(`round-${round}`);
        const ended = runScenario(homes, { ...course, killAt });
        const { problems } = await recover(homes, readPromises(ended.lines));
        const what = { seed: SEED, killAt };
        expect({ what, isKilled: ended.isKilled, fault: faultOf(ended), problems }).toEqual({
          what,
          isKilled: true,
          fault: undefined,
          problems: [],
        });
        rmSync(join(folder, `round-${round}`), { recursive: true });
      }
    },
    TIMEOUT_MS,
  );

  test(
    'again and again on the same files lose nothing that was promised',
    async () => {
      const random = new SeededRandom(SEED);
      let homes: readonly [string, string] = makeHomes('chain');
      let promises: Promises | undefined;
      for (let round = 0; round < ROUNDS; round += 1) {
        const seed = SEED + round + 1;
        const killAt = random.below(500) + 1;
        const ended = runScenario(homes, { seed, steps: 12, killAt });
        promises = readPromises(ended.lines, promises);
        const recovered = await recover(homes, promises);
        const what = { seed: SEED, round, killAt };
        expect({ what, fault: faultOf(ended), problems: recovered.problems }).toEqual({
          what,
          fault: undefined,
          problems: [],
        });
        ({ homes } = recovered);
      }
    },
    TIMEOUT_MS,
  );
});

describe('R7: two nodes that are killed while their application goes on', () => {
  test(
    'find all that it wrote, whether they were running or not',
    async (context) => {
      needProgram(context, 'python3');
      const random = new SeededRandom(SEED);
      const homes = makeHomes('daemon');
      const app = new ForeignProgram();
      const path = pathIn(homes[0]);
      try {
        await app.open(path, 'main', 60);
        await app.run('PRAGMA journal_mode=wal');
        await app.run('PRAGMA synchronous=OFF');
        await app.run('CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT, pad BLOB)');
        let rows = 0;
        for (let epoch = 1; epoch <= Math.max(4, ROUNDS / 10); epoch += 1) {
          const killAt = 40 + random.below(1500);
          const daemon = runDaemon(homes, { epoch, killAt });
          const state = { isOver: false };
          void daemon.then(() => (state.isOver = true));
          do {
            await app.fill('item', { rows: 20 });
            rows += 20;
          } while (!state.isOver);
          const ended = await daemon;
          if (random.below(3) === 0) await app.run('PRAGMA wal_checkpoint(TRUNCATE)');
          await app.fill('item', { rows: 5 });
          rows += 5;
          const { problems } = await recover(homes, readPromises(ended.lines), true);
          const what = { seed: SEED, epoch, killAt };
          expect({ what, isKilled: ended.isKilled, fault: faultOf(ended), problems }).toEqual({
            what,
            isKilled: true,
            fault: undefined,
            problems: [],
          });
          expect(textsIn(homes[1])).toHaveLength(rows);
        }
      } finally {
        await app.kill();
      }
    },
    TIMEOUT_MS,
  );
});
