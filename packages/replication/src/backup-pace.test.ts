import { describe, expect, test } from 'vitest';
import { BackupError } from './backup-error.ts';
import { BackupPace, PAUSE_MS_MAX } from './backup-pace.ts';

describe('the pace of a backup', () => {
  test('pauses twice as long after each failure, up to a minute, and as before after a success', () => {
    const pace = new BackupPace(1000);
    const pauses = [pace.pauseMs];
    for (let count = 0; count < 8; count += 1) {
      pace.failed(new Error('no'), count);
      pauses.push(pace.pauseMs);
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    pace.succeeded();
    expect(pace.pauseMs).toBe(1000);
    for (let count = 0; count < 2000; count += 1) pace.failed(new Error('no'), 0);
    expect(pace.pauseMs).toBe(PAUSE_MS_MAX);
  });

  test('never tries more often than the interval', () => {
    const pace = new BackupPace(600_000);
    pace.failed(new Error('no'), 0);
    expect(pace.pauseMs).toBe(600_000);
  });

  test('keeps why the last attempt failed', () => {
    const pace = new BackupPace(1000);
    pace.failed(new Error('odd'), 5);
    expect(pace.failure).toEqual({ code: 'unknown', message: 'odd', hint: undefined, atMs: 5 });
    pace.failed(new BackupError('backup_damaged', 'bad', { hint: 'look' }), 6);
    expect(pace.failures).toBe(2);
    expect(pace.failure).toEqual({ code: 'backup_damaged', message: 'bad', hint: 'look', atMs: 6 });
    pace.succeeded();
    expect(pace.failure).toBeUndefined();
  });
});
