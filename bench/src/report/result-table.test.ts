import { expect, it } from 'vitest';
import { numberText, resultTable } from './result-table.ts';

it.each([
  [0, '0.00'],
  [0.0123, '0.01'],
  [0.512, '0.51'],
  [9.876, '9.88'],
  [15.94, '15.9'],
  [131.4, '131'],
  [24_395.4, '24,395'],
])('%d reads %s', (value, text) => {
  expect(numberText(value)).toBe(text);
});

it('puts numbers under one another', () => {
  const table = resultTable([
    { measure: 'rate', value: 12_345, unit: '1/s', parameters: { hits_per_commit: 10 } },
    { measure: 'latency p50', value: 1.5, unit: 'ms', min: 1, max: 20, samples: 7 },
  ]);
  expect(table).toBe(
    [
      'measure       value  unit    min … max  n  of',
      'rate         12,345  1/s                   hits per commit: 10',
      'latency p50    1.50  ms    1.00 … 20.0  7',
      '',
    ].join('\n'),
  );
});
