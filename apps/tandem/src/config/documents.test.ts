import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { linesOf, reportOn } from './imagined-machine.ts';
import { LITEFS_KEYS, type LitefsKey } from './litefs-keys.ts';
import type { Setting } from './setting.ts';
import { SETTING_ENTRIES } from './settings.ts';

const read = (path: string) =>
  readFileSync(new URL(`../../../../docs/${path}`, import.meta.url), 'utf8');

function settingRow(key: string, entry: Setting<unknown>): string {
  const byDefault = entry.defaultText === null ? entry.otherwise : `\`${entry.defaultText}\``;
  const secrecy = entry.isSecret ? ' Never shown.' : '';
  return `| \`${key}\` | ${entry.expects} | ${byDefault} | ${entry.summary}${secrecy} |`;
}

function litefsRow(key: string, entry: LitefsKey): string {
  const becomes = { same: '', read: 'as it says', ignored: 'no effect' }[entry.kind];
  const target = entry.kind === 'same' ? `\`${entry.becomes}\`` : becomes;
  return `| \`${key}\` | ${target} | ${entry.remark} |`;
}

/** The rows of the table whose first heading is `heading`. */
function tableBelow(document: string, heading: string): readonly string[] {
  const lines = document.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  const rest = lines.slice(start + 2);
  return rest.slice(
    0,
    rest.findIndex((line) => !line.startsWith('|')),
  );
}

describe('docs/reference/tandem-configuration.md', () => {
  const document = read('reference/tandem-configuration.md');

  it('has the table of keys', () => {
    const expected = SETTING_ENTRIES.map(([key, entry]) => settingRow(key, entry));
    expect(tableBelow(document, 'Key')).toEqual(expected);
  });

  it('has examples that work', () => {
    const examples = [...document.matchAll(/```yaml\n([^`]*)```/g)].map(([, text]) => text ?? '');
    expect(examples).toHaveLength(3);
    const env = {
      POD_NAME: 'shop-0',
      POD_IP: '10.0.0.7',
      TANDEM_SECRET: '0123456789abcdef0123456789abcdef',
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
    };
    const [smallest = '', pods = '', machines = ''] = examples;
    expect(linesOf(reportOn(smallest), 'error')).toEqual([]);
    const inPods = reportOn(pods, { env });
    expect(linesOf(inPods, 'error')).toEqual([]);
    expect(inPods.config?.lease).toMatchObject({ leaseName: 'shop-tandem', candidate: true });
    const errors = linesOf(reportOn(machines), 'error');
    expect(errors).toEqual([expect.stringContaining('/run/secrets/tandem')]);
  });
});

describe('docs/guides/moving-from-litefs.md', () => {
  it('has the table of keys', () => {
    const document = read('guides/moving-from-litefs.md');
    const expected = [...LITEFS_KEYS].map(([key, entry]) => litefsRow(key, entry));
    expect(tableBelow(document, 'In `litefs.yml`')).toEqual(expected);
  });
});
