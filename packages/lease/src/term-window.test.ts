import { describe, expect, it } from 'vitest';
import { TermCell } from './term-cell.ts';
import { TermWindow } from './term-window.ts';

function clocks() {
  const now = { monotonicMs: 1000, wallMs: 5_000_000 };
  return { now, clock: { monotonicMs: () => now.monotonicMs, wallMs: () => now.wallMs } };
}

describe('a term window', () => {
  it('is open until the term ends on the monotonic clock', () => {
    const { now, clock } = clocks();
    const window = new TermWindow(clock);
    expect(window.isOpen()).toBe(false);
    window.open({ epoch: 1, validUntilMs: 1500 }, window.mark());
    expect(window.isOpen()).toBe(true);
    now.monotonicMs = 1499.9;
    expect(window.isOpen()).toBe(true);
    now.monotonicMs = 1500;
    expect(window.isOpen()).toBe(false);
  });

  it('is shut after a sleep in which only the wall clock went on', () => {
    const { now, clock } = clocks();
    const window = new TermWindow(clock);
    window.open({ epoch: 1, validUntilMs: 1500 }, window.mark());
    now.wallMs += 3_600_000;
    expect(window.isOpen()).toBe(false);
    window.open({ epoch: 1, validUntilMs: 1500 }, window.mark());
    expect(window.isOpen()).toBe(true);
  });

  it('is no longer for a wall clock that is set back', () => {
    const { now, clock } = clocks();
    const window = new TermWindow(clock);
    window.open({ epoch: 1, validUntilMs: 1500 }, window.mark());
    now.wallMs -= 3_600_000;
    now.monotonicMs = 1500;
    expect(window.isOpen()).toBe(false);
  });

  it('of a static lease never ends', () => {
    const { now, clock } = clocks();
    const window = new TermWindow(clock);
    window.open({ epoch: 1, validUntilMs: Infinity }, window.mark());
    now.monotonicMs = Number.MAX_SAFE_INTEGER;
    expect(window.isOpen()).toBe(true);
    window.close();
    expect(window.isOpen()).toBe(false);
  });
});

describe('a term cell', () => {
  it('shows another thread the window, on both clocks', () => {
    const { now, clock } = clocks();
    const writer = new TermCell();
    const reader = new TermCell(writer.buffer);
    expect(reader.isOpen(clock)).toBe(false);
    expect(reader.read()).toBeUndefined();
    writer.publish({ epoch: 7, monotonicMs: 1500, wallMs: 5_000_500 });
    expect(reader.isOpen(clock)).toBe(true);
    expect(reader.read()).toEqual({ epoch: 7, validUntilMs: 1500 });
    now.wallMs = 5_000_500;
    expect(reader.isOpen(clock)).toBe(false);
    now.wallMs = 5_000_000;
    now.monotonicMs = 1500;
    expect(reader.isOpen(clock)).toBe(false);
    writer.publish(undefined);
    expect(reader.read()).toBeUndefined();
  });

  it('keeps a window without end, and heartbeats', () => {
    const { clock } = clocks();
    const cell = new TermCell();
    cell.publish({ epoch: 1, monotonicMs: Infinity, wallMs: Infinity });
    expect(cell.isOpen(clock)).toBe(true);
    expect(cell.read()).toEqual({ epoch: 1, validUntilMs: Infinity });
    cell.beat(1234.5);
    expect(cell.lastBeatMs).toBe(1234.5);
  });
});
