import { describe, expect, it } from 'vitest';
import { metricText } from './metrics-text.ts';

describe('the text of a metric', () => {
  it('has its help, its type and a line for each sample', () => {
    const metric = { name: 'tandem_a', type: 'gauge', help: 'A.' } as const;
    expect(metricText(metric, [{ value: 1.5 }, { labels: { db: 'x', node: 'y' }, value: 2 }])).toBe(
      '# HELP tandem_a A.\n# TYPE tandem_a gauge\ntandem_a 1.5\ntandem_a{db="x",node="y"} 2\n',
    );
  });

  it('keeps labels and help from breaking out of their places', () => {
    const metric = { name: 'tandem_a', type: 'counter', help: 'a\\b\nc"d' } as const;
    expect(metricText(metric, [{ labels: { db: 'a"b\\c\nd' }, value: 0 }])).toBe(
      String.raw`# HELP tandem_a a\\b\nc"d` +
        '\n# TYPE tandem_a counter\n' +
        String.raw`tandem_a{db="a\"b\\c\nd"} 0` +
        '\n',
    );
  });

  it('writes what is no number as Prometheus does', () => {
    const metric = { name: 'a', type: 'gauge', help: '' } as const;
    const values = [Infinity, -Infinity, Number.NaN, 1e21, 0.1];
    const samples = values.map((value) => ({ value }));
    expect(metricText(metric, samples).split('\n').slice(2, -1)).toEqual([
      'a +Inf',
      'a -Inf',
      'a NaN',
      'a 1e+21',
      'a 0.1',
    ]);
  });

  it('is nothing without samples, and refuses a name that is none', () => {
    const metric = { name: 'a', type: 'gauge', help: 'A.' } as const;
    expect(metricText(metric, [])).toBe('');
    expect(() => metricText({ ...metric, name: 'a-b' }, [])).toThrow("'a-b' is a metric's name");
  });
});
