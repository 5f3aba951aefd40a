import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { completed, runSuite } from './suite.ts';

const NODE_MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const CONFIGURATION = `
  const project = (name) => ({ test: { name, include: [name + '/*.test.ts'] } });
  export default { test: { projects: ['unit', 'integration', 'crash'].map(project) } };
`;
const SAMPLE = `
  import { beforeAll, describe, expect, it } from 'vitest';
  it('passes', () => expect(1).toBe(1));
  it('fails', () => expect(1, 'one is two').toBe(2));
  it('is skipped with a reason', ({ skip }) => skip('needs luck: there is none'));
  it.skip('is skipped without one', () => {});
  it.todo('is only promised');
  describe('a suite', () => {
    beforeAll(() => { throw new Error('no bed'); });
    it('cannot begin', () => {});
  });
`;

describe('runSuite', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'suite-'));
    symlinkSync(NODE_MODULES, join(root, 'node_modules'));
    write('package.json', '{ "type": "module" }');
    write('vitest.config.ts', CONFIGURATION);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function write(path: string, text: string): void {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }

  it('records what became of every test, and of files and suites that broke', async () => {
    write('unit/sample.test.ts', SAMPLE);
    write('unit/broken.test.ts', `throw new Error('cannot load');`);
    write('crash/good.test.ts', `import { it } from 'vitest'; it('passes', () => {});`);
    const titles: string[] = [];
    const outcomes = await runSuite(
      { staticChecks: false, projects: ['unit', 'integration', 'crash'], filters: [] },
      {
        root,
        signal: new AbortController().signal,
        announce: (title) => titles.push(title),
        output: 'ignore',
      },
    );
    expect(titles).toEqual(['unit tests', 'integration tests', 'crash tests']);
    const lines = outcomes.map(({ name, state, reason }) => `${state} ${name}: ${reason ?? ''}`);
    expect(lines.sort()).toEqual([
      'failed integration tests: there are none',
      'failed unit/broken.test.ts: cannot load',
      'failed unit/sample.test.ts > a suite: no bed',
      'failed unit/sample.test.ts > fails: one is two: expected 1 to be 2 // Object.is equality',
      'passed crash/good.test.ts > passes: ',
      'passed unit/sample.test.ts > passes: ',
      'skipped unit/sample.test.ts > a suite > cannot begin: ',
      'skipped unit/sample.test.ts > is only promised: ',
      'skipped unit/sample.test.ts > is skipped with a reason: needs luck: there is none',
      'skipped unit/sample.test.ts > is skipped without one: ',
    ]);
  }, 60_000);
});

describe('completed', () => {
  const passed = { name: 'a', state: 'passed' } as const;
  const failed = { name: 'a', state: 'failed', reason: 'x' } as const;

  it('adds nothing to a record that explains the end', () => {
    const whole = { outcomes: [passed], end: { exitCode: 0 }, isFiltered: false };
    expect(completed('unit', whole)).toEqual([passed]);
    const broken = { outcomes: [failed], end: { exitCode: 1 }, isFiltered: false };
    expect(completed('unit', broken)).toEqual([failed]);
    const nothing = { outcomes: [], end: { exitCode: 0 }, isFiltered: true };
    expect(completed('unit', nothing)).toEqual([]);
  });

  it.each([
    ['no record', undefined, { exitCode: 0 }],
    ['an exit code without a failure', [passed], { exitCode: 1 }],
    ['an interruption', [failed], { exitCode: 1, problem: 'interrupted' }],
    ['no tests', [], { exitCode: 0 }],
  ])('turns %s into a failure', (_, outcomes, end) => {
    const found = completed('unit', { outcomes, end, isFiltered: false });
    expect(found.filter(({ name }) => name === 'unit tests')).toEqual([
      expect.objectContaining({ state: 'failed' }),
    ]);
  });
});
