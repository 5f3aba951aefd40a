import { describe, expect, it } from 'vitest';
import { describeEnd, exitCodeOf } from './exit-code.ts';

describe('the exit code that stands for an end', () => {
  it('is the command’s own', () => {
    expect(exitCodeOf({ code: 0, signal: null })).toBe(0);
    expect(exitCodeOf({ code: 73, signal: null })).toBe(73);
  });

  it('is 128 and the number of the signal that ended it', () => {
    expect(exitCodeOf({ code: null, signal: 'SIGINT' })).toBe(130);
    expect(exitCodeOf({ code: null, signal: 'SIGKILL' })).toBe(137);
    expect(exitCodeOf({ code: null, signal: 'SIGTERM' })).toBe(143);
  });

  it('is said in words', () => {
    expect(describeEnd({ code: 3, signal: null })).toBe('exit code 3');
    expect(describeEnd({ code: null, signal: 'SIGKILL' })).toBe('signal SIGKILL');
  });
});
