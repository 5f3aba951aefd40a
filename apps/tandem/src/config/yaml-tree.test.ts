import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.ts';
import { configOrThrow } from './resolve-config.ts';
import { reportOn } from './imagined-machine.ts';
import { textOf } from './config-node.ts';
import { parseYamlTree } from './yaml-tree.ts';

describe('parseYamlTree', () => {
  it('keeps texts and lines', () => {
    const root = parseYamlTree('a: 010 # c\nb:\n  - 1e3\n  - "x"\nc: {d: no}\ne:\n', 'f');
    const seen = root.entries.map(({ key, line, node }) => [key, line, textOf(node)]);
    expect(seen).toEqual([
      ['a', 1, '010'],
      ['b', 2, '1e3, x'],
      ['c', 5, 'd: no'],
      ['e', 6, ''],
    ]);
  });

  it('takes an empty file for an empty map', () => {
    for (const text of ['', '# nothing\n', '---\n', '~']) {
      expect(parseYamlTree(text, 'f').entries).toEqual([]);
    }
  });

  it.each([
    ['a: *x', "'*x' repeats something that stands nowhere before"],
    ['a: [*.css]', "'*.css' repeats something"],
    ['a: &x [*x]', 'nested too deep or repeated too often'],
    ['text', 'a single value where keys should be'],
    ['{a: 1}: 2', 'a key is not a word'],
    ['<<: {a: 1}', "'<<' is not understood"],
    ['a: 1\n---\nb: 2', 'a second YAML document begins'],
  ])('refuses %s', (text, message) => {
    expect(() => parseYamlTree(text, 'f')).toThrow(ConfigError);
    expect(() => parseYamlTree(text, 'f')).toThrow(message);
  });

  it('does not grow with aliases of aliases', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level += 1) {
      const items = Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ');
      lines.push(`a${level}: &a${level} [${items}]`);
    }
    expect(() => parseYamlTree(lines.join('\n'), 'f')).toThrow('repeated too often');
  });

  it('refuses what is far too long', () => {
    expect(() => parseYamlTree('#'.repeat(1_000_001), 'f')).toThrow('a million characters');
  });
});

describe('any text at all', () => {
  const words = [
    'databases',
    'folder',
    'lease',
    'type',
    'static',
    'consul',
    'fuse',
    'dir',
    'http',
    'listen',
    'exec',
    'cmd',
    'primary',
    'peers',
    ': ',
    ':',
    '\n',
    '\n  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ', ',
    '"',
    "'",
    '#',
    '|',
    '>',
    '&a ',
    '*a',
    '!!binary ',
    '${A}',
    '$',
    '~',
    'true',
    '10s',
    '/data',
    '?',
    '%',
    '\t',
    '---',
    '<<',
    '\0',
    '\u{1F600}',
    '0',
  ];
  const soup = fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((all) => all.join(''));

  it.each(['tandem.yml', 'litefs.yml', 'x.yml'])(
    'as %s gives a configuration or a ConfigError',
    (name) => {
      fc.assert(
        fc.property(fc.oneof(soup, fc.string({ unit: 'binary', maxLength: 80 })), (text) => {
          const report = reportOn(text, { name, env: { A: '/x' } });
          try {
            expect(configOrThrow(report)).toBe(report.config);
          } catch (error) {
            expect(error).toBeInstanceOf(ConfigError);
            expect(report.notes.some(({ level }) => level === 'error')).toBe(true);
          }
        }),
        { numRuns: 400 },
      );
    },
  );

  it('as any key gives a configuration or a ConfigError', () => {
    const value = fc.oneof(soup, fc.json({ maxDepth: 2 }), fc.string());
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(
            'http',
            'lease',
            'exec',
            'proxy',
            'commands',
            'backup',
            'lease.static.peers',
            'node.name',
            'backup.url',
            'proxy.target',
            'lease.consul.url',
          ),
          value,
        ),
        (flags) => {
          const all = Object.entries(flags).map(([key, text]) => `${key}=${text}`);
          const report = reportOn('databases: {folder: /data}\n', { flags: all });
          expect(report.config === null).toBe(report.notes.some(({ level }) => level === 'error'));
        },
      ),
      { numRuns: 300 },
    );
  });
});
