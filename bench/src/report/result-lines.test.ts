import { expect, it } from 'vitest';
import { resultLines } from './result-lines.ts';

it('each line is complete in itself', () => {
  const machine = {
    cpu: 'Some processor',
    cores: 2,
    memory_bytes: 1024,
    platform: 'linux',
    node: '24.0.0',
    file_system: 'ext4',
    commit: null,
  };
  const origin = {
    time: '2026-01-01T00:00:00.000Z',
    workload: 'enrich',
    quick: false,
    profiled: false,
    loadBefore: 0.5,
    loadAfter: 1,
    machine,
  };
  const text = resultLines(origin, [
    { measure: 'a', value: 1, unit: 'ms', min: 1, max: 2, samples: 3 },
    { measure: 'b', value: 2, unit: '1/s', parameters: { connections: 64 } },
  ]);
  const common = {
    time: '2026-01-01T00:00:00.000Z',
    workload: 'enrich',
    quick: false,
    profiled: false,
    load_before: 0.5,
    load_after: 1,
    machine,
  };
  expect(text.endsWith('\n')).toBe(true);
  const lines = text.trimEnd().split('\n');
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
    { ...common, measure: 'a', value: 1, unit: 'ms', min: 1, max: 2, samples: 3, parameters: {} },
    { ...common, measure: 'b', value: 2, unit: '1/s', parameters: { connections: 64 } },
  ]);
});
