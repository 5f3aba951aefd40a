import { describe, expect, it } from 'vitest';
import { cpuQuota, machineChecks, type MachineFacts } from './machine-checks.ts';
import { storageChecks, type StorageFacts } from './storage-checks.ts';

const machine: MachineFacts = {
  nodeVersion: '24.1.0',
  nowMs: Date.UTC(2026, 6, 1),
  writtenMs: null,
  memoryTotalBytes: 8 * 2 ** 30,
  memoryLimitBytes: null,
  cpuCount: 4,
  cpuMax: null,
  timeZoneCount: 418,
  berlinOffsetMs: 7_200_000,
  timeZoneVersion: '2026a',
};
const storage: StorageFacts = {
  folder: '/data',
  exists: true,
  fault: null,
  fileSystemType: 0xef53,
  freeBytes: 2 ** 40,
  journal: { siteCount: 2, bytes: 1000 },
};

const machineCheck = (name: string, facts: Partial<MachineFacts>) =>
  machineChecks({ ...machine, ...facts }).find((check) => check.name === name);
const storageCheck = (name: string, facts: Partial<StorageFacts>) =>
  storageChecks({ ...storage, ...facts }).find((check) => check.name === name);

describe('the machine', () => {
  it('is fine as it usually is', () => {
    expect(machineChecks(machine).map((check) => check.status)).toEqual(Array(5).fill('ok'));
  });

  it('has Node.js 24 at least', () => {
    expect(machineCheck('node', { nodeVersion: '22.9.0' })?.status).toBe('failure');
  });

  it('has as much memory as the container allows', () => {
    const limited = machineCheck('memory', { memoryLimitBytes: 512 * 2 ** 20 });
    expect(limited).toMatchObject({ status: 'ok', message: expect.stringContaining('512 MiB') });
    expect(machineCheck('memory', { memoryLimitBytes: 128 * 2 ** 20 })?.status).toBe('warning');
    expect(machineCheck('memory', { memoryLimitBytes: 2 ** 45 })?.message).toBe(
      '8192 MiB of memory.',
    );
  });

  it('tells the quota of processors', () => {
    expect(cpuQuota('50000 100000\n')).toBe(0.5);
    expect(cpuQuota('max 100000\n')).toBeNull();
    expect(cpuQuota(null)).toBeNull();
    expect(machineCheck('cpu', { cpuMax: '150000 100000' })?.message).toContain('limited to 1.5');
  });

  it('has a clock that can be right', () => {
    expect(machineCheck('clock', { nowMs: 0 })?.status).toBe('failure');
    expect(machineCheck('clock', { nowMs: Date.UTC(2150, 0, 1) })?.status).toBe('failure');
    const ahead = machine.nowMs + 2 * 3_600_000;
    expect(machineCheck('clock', { writtenMs: ahead })?.status).toBe('warning');
    expect(machineCheck('clock', { writtenMs: machine.nowMs + 1000 })?.status).toBe('ok');
  });

  it('knows the rules of time zones', () => {
    expect(machineCheck('time_zones', { timeZoneCount: 1 })?.status).toBe('failure');
    expect(machineCheck('time_zones', { berlinOffsetMs: 0 })?.status).toBe('failure');
  });
});

describe('the data folder', () => {
  it('is fine as it usually is', () => {
    expect(storageChecks(storage).map((check) => check.status)).toEqual(Array(4).fill('ok'));
  });

  it('may be missing, but not be closed', () => {
    expect(storageCheck('data_folder', { exists: false })).toMatchObject({ status: 'ok' });
    const fault = { message: 'It cannot be written.', hint: 'Do this.' };
    expect(storageCheck('data_folder', { fault })).toMatchObject({ status: 'failure', ...fault });
  });

  it('should not lie on a network or in memory', () => {
    expect(storageCheck('file_system', { fileSystemType: 0x6969 })?.message).toContain('NFS');
    expect(storageCheck('file_system', { fileSystemType: 0xff53_4d42 })?.status).toBe('warning');
    expect(storageCheck('file_system', { fileSystemType: 0x794c_7630 })?.status).toBe('warning');
    expect(storageCheck('file_system', { fileSystemType: null })).toBeUndefined();
  });

  it('needs space', () => {
    expect(storageCheck('free_space', { freeBytes: 100 * 2 ** 20 })?.status).toBe('warning');
    expect(storageCheck('free_space', { freeBytes: 0 })?.status).toBe('failure');
  });

  it('has a journal that this version can read, or none yet', () => {
    expect(storageCheck('journal', { journal: null })?.status).toBe('ok');
    const older = { code: 'journal_older', message: 'needs a migration', hint: null };
    expect(storageCheck('journal', { journal: older })?.status).toBe('warning');
    const damaged = { code: 'journal_unreadable', message: 'damaged', hint: 'Restore it.' };
    expect(storageCheck('journal', { journal: damaged })).toMatchObject({
      status: 'failure',
      hint: 'Restore it.',
    });
  });
});
