import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  dataFolderError,
  ensureDataFolder,
  tryDataFolder,
  type DataFolderFault,
} from './data-folder.ts';
import { readConfiguration } from './read-configuration.ts';

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'loggia-config-'));
});
afterEach(() => {
  rmSync(cwd, { recursive: true, force: true });
});

const read = (rest: { configFlag?: string; env?: Record<string, string> } = {}) =>
  readConfiguration({ flags: {}, configFlag: rest.configFlag ?? null, env: rest.env ?? {}, cwd });
const messages = (rest: Parameters<typeof read>[0]) =>
  read(rest).problems.map((problem) => problem.message);

describe('the configuration file', () => {
  it('is loggia.yml of the current folder, and may be missing', () => {
    expect(read()).toMatchObject({ problems: [], configuration: { filePath: null } });
    writeFileSync(join(cwd, 'loggia.yml'), 'log_level: warn\n');
    const { configuration, problems } = read();
    expect(problems).toEqual([]);
    expect(configuration.filePath).toBe(join(cwd, 'loggia.yml'));
    expect(configuration.values.logLevel).toBe('warn');
  });

  it('is the named one instead, the flag before the variable', () => {
    writeFileSync(join(cwd, 'loggia.yml'), 'log_level: warn\n');
    writeFileSync(join(cwd, 'a.yml'), 'log_level: debug\n');
    writeFileSync(join(cwd, 'b.yml'), 'log_level: error\n');
    const env = { LOGGIA_CONFIG: 'b.yml' };
    expect(read({ env }).configuration.values.logLevel).toBe('error');
    expect(read({ env, configFlag: 'a.yml' }).configuration.values.logLevel).toBe('debug');
  });

  it('must exist and be a file when it is named', () => {
    mkdirSync(join(cwd, 'folder'));
    expect(messages({ configFlag: 'no.yml' })).toEqual([
      `${join(cwd, 'no.yml')}, which --config names, does not exist.`,
    ]);
    expect(messages({ env: { LOGGIA_CONFIG: 'folder' } })).toEqual([
      `${join(cwd, 'folder')}, which LOGGIA_CONFIG names, is a folder, not a file.`,
    ]);
  });

  it('is not silently ignored under a name much like its own', () => {
    writeFileSync(join(cwd, 'loggia.yaml'), 'log_level: warn\n');
    expect(messages({})).toEqual([`${join(cwd, 'loggia.yaml')} is not read under that name.`]);
  });
});

describe('ensureDataFolder', () => {
  it('makes the folder with those above it and leaves nothing in it', () => {
    const folder = join(cwd, 'a', 'b');
    ensureDataFolder(folder);
    ensureDataFolder(folder);
    expect(() => rmSync(folder, { recursive: true })).not.toThrow();
  });

  it('refuses a file, and a folder below a file', () => {
    const file = join(cwd, 'file');
    writeFileSync(file, '');
    expect(() => ensureDataFolder(file)).toThrow(
      `The data folder ${file} is a file, not a folder.`,
    );
    expect(() => ensureDataFolder(join(file, 'x'))).toThrow(`lies below the file ${file}`);
  });

  it.runIf(process.platform === 'linux')(
    'refuses a folder that the system cannot make, and ends',
    () => {
      expect(() => ensureDataFolder('/proc/no-such-folder')).toThrow('cannot be created (ENOENT)');
    },
  );

  it('is foreseen without any folder being made', () => {
    const folder = join(cwd, 'a', 'b');
    expect(tryDataFolder(folder)).toBeUndefined();
    expect(readdirSync(cwd)).toEqual([]);
    writeFileSync(join(cwd, 'file'), '');
    expect(tryDataFolder(join(cwd, 'file'))?.message).toContain('is a file, not a folder');
  });
});

describe('the sentence about a data folder', () => {
  const fault: DataFolderFault = {
    folder: '/data',
    action: 'write',
    systemCode: 'EACCES',
    uid: 65_532,
    gid: 65_532,
    nearest: { folder: '/data', ownerUid: 0, ownerGid: 0, mode: 0o755, isFolder: true },
  };

  it('says who may not write, whose it is, and what to do', () => {
    const error = dataFolderError(fault);
    expect(error.message).toBe(
      'The data folder /data cannot be written by uid 65532, gid 65532: ' +
        'it belongs to uid 0, gid 0 with mode 0755.',
    );
    expect(error.hint).toContain("'chown 65532:65532 /data'");
    expect(error.hint).toContain('fsGroup: 65532');
    expect(error.hint).toContain('LOGGIA_DATA_DIR');
  });

  it('names the folder above that keeps it from being made', () => {
    const nearest = { folder: '/', ownerUid: 0, ownerGid: 0, mode: 0o755, isFolder: true };
    const error = dataFolderError({ ...fault, action: 'create', nearest });
    expect(error.message).toContain('cannot be created by uid 65532, gid 65532: / belongs to');
  });

  it('tells a read-only file system from missing rights', () => {
    const error = dataFolderError({ ...fault, systemCode: 'EROFS' });
    expect(error.message).toBe(
      'The data folder /data cannot be written: it lies on a read-only file system.',
    );
    expect(error.hint).toContain('Mount a writable volume');
  });

  it('passes on what it does not know', () => {
    expect(dataFolderError({ ...fault, systemCode: 'EIO', nearest: null }).message).toContain(
      '(EIO)',
    );
  });
});
