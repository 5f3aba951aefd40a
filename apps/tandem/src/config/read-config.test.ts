import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configPlaces, readConfig } from './read-config.ts';
import { systemMachine } from './system-machine.ts';
import type { Machine } from './machine.ts';

let folder = '';
let machine: Machine;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-config-'));
  mkdirSync(join(folder, 'home'));
  mkdirSync(join(folder, 'work'));
  machine = { ...systemMachine(join(folder, 'work')), homeFolder: join(folder, 'home') };
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const TANDEM = 'databases:\n  folder: db\n';
const write = (path: string, text = TANDEM) => writeFileSync(join(folder, path), text);
const read = (rest: { configFlag?: string; env?: Record<string, string> } = {}) =>
  readConfig({ configFlag: rest.configFlag ?? null, env: rest.env ?? {}, machine });
const messages = (rest: Parameters<typeof read>[0]) =>
  read(rest).notes.map(({ message }) => message);

describe('the configuration file', () => {
  it('is looked for in this order', () => {
    expect(configPlaces({ cwd: '/w', homeFolder: '/h' })).toEqual([
      '/w/tandem.yml',
      '/w/litefs.yml',
      '/h/tandem.yml',
      '/h/litefs.yml',
      '/etc/tandem.yml',
      '/etc/litefs.yml',
    ]);
    expect(configPlaces({ cwd: '/w', homeFolder: null })).toHaveLength(4);
  });

  it('is the first of them, unless one is named', () => {
    write('home/tandem.yml');
    expect(read().filePath).toBe(join(folder, 'home/tandem.yml'));
    write('work/litefs.yml', 'lease: {type: static, candidate: true}\n');
    expect(read()).toMatchObject({ filePath: join(folder, 'work/litefs.yml'), format: 'litefs' });
    write('work/tandem.yml');
    expect(read().filePath).toBe(join(folder, 'work/tandem.yml'));
    write('work/other.yml');
    const env = { TANDEM_CONFIG: 'other.yml' };
    expect(read({ env }).filePath).toBe(join(folder, 'work/other.yml'));
    expect(read({ env, configFlag: '../home/tandem.yml' }).filePath).toBe(
      join(folder, 'home/tandem.yml'),
    );
  });

  it('must be there when it is named', () => {
    expect(messages({ configFlag: 'no.yml' })).toEqual([
      `${join(folder, 'work/no.yml')}, which --config names, does not exist.`,
    ]);
    expect(messages({ env: { TANDEM_CONFIG: '../home' } })).toEqual([
      `${join(folder, 'home')}, which TANDEM_CONFIG names, is a folder, not a file.`,
    ]);
    expect(read({ configFlag: 'no.yml' }).config).toBeNull();
  });

  it('is not passed over in silence under a name much like its own', () => {
    write('work/tandem.yaml');
    expect(messages({})).toEqual([
      `${join(folder, 'work/tandem.yaml')} is not read under that name.`,
    ]);
  });

  it('gives a configuration of real folders and programs', () => {
    write('work/run.sh', '#!/bin/sh\n');
    chmodSync(join(folder, 'work/run.sh'), 0o755);
    write('work/tandem.yml', `${TANDEM}exec: ./run.sh x\n`);
    const { config, notes } = read();
    expect(config?.databases.folder).toBe(join(folder, 'work/db'));
    expect(config?.exec?.program).toBe(join(folder, 'work/run.sh'));
    expect(notes.map(({ message }) => message)).toEqual([
      `databases.folder in ${join(folder, 'work/tandem.yml')}, line 2, is ` +
        `${join(folder, 'work/db')}, which does not exist yet and will be made.`,
    ]);
  });
});

describe('the machine', () => {
  it('tells a folder that is there from one that can be made', () => {
    expect(machine.inspectFolder(folder)).toMatchObject({ exists: true, fault: null });
    expect(machine.inspectFolder(join(folder, 'a/b'))).toMatchObject({
      exists: false,
      fault: null,
    });
  });

  it('says that a file is in the way', () => {
    write('file', '');
    const path = join(folder, 'file');
    expect(machine.inspectFolder(path).fault).toMatchObject({ kind: 'not-a-folder', place: path });
    expect(machine.inspectFolder(join(path, 'x'))).toMatchObject({
      exists: false,
      fault: { kind: 'not-a-folder', place: path, systemCode: 'ENOTDIR' },
    });
  });

  it.runIf(process.platform === 'linux')('says that a system folder takes nothing', () => {
    // Root may write anywhere but here.
    const { fault } = machine.inspectFolder('/proc/1/task/none');
    if (process.geteuid?.() === 0)
      expect(fault === null || fault.place.startsWith('/proc')).toBe(true);
    else expect(fault?.kind).toBe('denied');
  });

  it('finds programs on the path and beside it', () => {
    write('work/tool', '#!/bin/sh\n');
    write('work/plain', '');
    chmodSync(join(folder, 'work/tool'), 0o755);
    chmodSync(join(folder, 'work/plain'), 0o644);
    const path = `/nowhere:${join(folder, 'work')}`;
    const tool = join(folder, 'work/tool');
    expect(machine.findProgram('tool', path)).toEqual({ value: tool });
    expect(machine.findProgram('./tool', '')).toEqual({ value: tool });
    expect(machine.findProgram('./none', '')).toEqual({ problem: 'does not exist' });
    expect(machine.findProgram('none', path)).toEqual({
      problem: `is in none of the folders of PATH (${path})`,
    });
    expect(machine.findProgram('./plain', '')).toEqual({
      problem: "may not be run: 'chmod +x' is missing",
    });
    expect(machine.findProgram('plain', path)).toMatchObject({
      problem: expect.stringContaining("'chmod +x' is missing"),
    });
    expect(machine.findProgram('../work', '')).toEqual({ problem: 'is no file' });
  });

  it('reads files, and says why not', () => {
    write('file', 'text');
    expect(machine.readText(join(folder, 'file'))).toEqual({ value: 'text' });
    expect(machine.readText(join(folder, 'none'))).toEqual({ problem: 'does not exist' });
    expect(machine.readText(folder)).toEqual({ problem: 'is a folder, not a file' });
    write('large', 'x'.repeat(1_048_577));
    expect(machine.readText(join(folder, 'large'))).toEqual({ problem: 'is larger than 1 MiB' });
  });
});
