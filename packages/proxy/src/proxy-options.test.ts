import { expect, test } from 'vitest';
import { PROXY_DEFAULTS, resolveSettings, type ProxyOptions } from './proxy-options.ts';
import type { ProxyState } from './proxy-state.ts';

const STATE: ProxyState = {
  role: () => 'none',
  isReady: () => false,
  primaryUrl: () => undefined,
  position: () => undefined,
  waitFor: () => Promise.resolve('timeout'),
  waitForPrimary: () => Promise.resolve(undefined),
  lagMs: () => undefined,
};

function options(more: Partial<ProxyOptions> = {}): ProxyOptions {
  const listen = { host: '127.0.0.1', port: 0 };
  return { listen, targetUrl: 'http://localhost:8080', state: STATE, ...more };
}

test("what is not said is LiteFS's default", () => {
  expect(resolveSettings(options())).toMatchObject(PROXY_DEFAULTS);
  expect(PROXY_DEFAULTS).toMatchObject({
    maxLagMs: 10_000,
    primaryRedirectTimeoutMs: 5_000,
    readTimeoutMs: 0,
    headerTimeoutMs: 10_000,
    writeTimeoutMs: 0,
    idleTimeoutMs: 30_000,
    cookieMaxAgeS: 300,
  });
});

test('what is said counts', () => {
  const settings = resolveSettings(options({ maxLagMs: 0, passthrough: ['*.css'] }));
  expect(settings).toMatchObject({ maxLagMs: 0, passthrough: ['*.css'] });
  expect(settings.target.host).toBe('localhost:8080');
});

for (const [what, wrong] of Object.entries({
  'a target without a scheme': { targetUrl: 'localhost:8080' },
  'a target with a path': { targetUrl: 'http://localhost:8080/app' },
  'a target with a user': { targetUrl: 'http://a:b@localhost' },
  'another scheme': { targetUrl: 'ftp://localhost' },
  'a time that is none': { maxLagMs: Number.NaN },
  'a negative time': { idleTimeoutMs: -1 },
  'a fraction': { bodyBytesMax: 0.5 },
  'a time beyond what timers count': { writeTimeoutMs: 2 ** 31 },
  'a rule that matches no path': { passthrough: ['static/*'] },
  'a token with a blank': { forwardToken: 'a b' },
  'an empty token': { forwardToken: '' },
} satisfies Record<string, Partial<ProxyOptions>>)) {
  test(`${what} is refused, with what to do`, () => {
    expect(() => resolveSettings(options(wrong))).toThrow(
      expect.objectContaining({ code: 'bad_option', hint: expect.stringMatching(/./) }),
    );
  });
}
