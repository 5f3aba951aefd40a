/**
 * Preloaded into a server with `--import`: numbers, thread by thread, the calls by which the program
 * changes the disk, writes each to the file that `DISK_STEP_LOG` names just before it is made, and
 * ends the process by SIGKILL at the moment that `DISK_STEP_KILL` names (`writer 3 before`), if any.
 */
import fs from 'node:fs';
import nodeModule, { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { isMainThread } from 'node:worker_threads';

type Method = (...parameters: unknown[]) => unknown;
/** What a call changes, in a few words; undefined when it changes nothing. */
type Describe = (self: unknown, parameters: readonly unknown[]) => string | undefined;

const TEXT_LENGTH_MAX = 70;
const WRITE_FLAGS =
  fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC;
/** Functions of `node:fs` that change what a path names. */
const PATH_CHANGES =
  'appendFile chmod chown copyFile cp lchown link lutimes mkdir mkdtemp rename rm rmdir symlink ' +
  'truncate unlink utimes writeFile';
/** Functions of `node:fs` that change an open file, which may be a pipe or a terminal as well. */
const FILE_CHANGES = 'fchmod fchown fdatasync fsync ftruncate futimes write writev';
/** Methods of a `FileHandle` that change its file. */
const HANDLE_CHANGES =
  'appendFile chmod chown datasync sync truncate utimes write writeFile writev';
/** Statements by which SQLite writes nothing that was not there. */
const READS = /^\s*(select|pragma\s+\w+\s*(\(\d*\))?\s*;?\s*$)/i;

const { fstatSync, writeSync } = fs;
const log = fs.openSync(required('DISK_STEP_LOG'), 'a');
const fatalMoment = process.env['DISK_STEP_KILL'];
const thread = isMainThread ? 'main' : basename(process.argv[1] ?? '', '-thread.ts');
let stepCount = 0;

replaceFileSystem();
replaceDatabases();
replace(nodeModule, 'enableCompileCache', 'module', describePath);
syncBuiltinESMExports();

function replaceFileSystem(): void {
  for (const name of PATH_CHANGES.split(' ')) {
    for (const full of [name, `${name}Sync`]) replace(fs, full, 'fs', describePath);
    replace(fs.promises, name, 'fs.promises', describePath);
  }
  for (const name of FILE_CHANGES.split(' ')) {
    for (const full of [name, `${name}Sync`]) replace(fs, full, 'fs', describeFile);
  }
  for (const name of ['open', 'openSync']) replace(fs, name, 'fs', describeOpening);
  replace(fs.promises, 'open', 'fs.promises', describeOpening);
  replaceHandles();
}

/** The class of file handles has no public name, so it is taken from the first one that opens. */
function replaceHandles(): void {
  const open = fs.promises.open;
  let isReplaced = false;
  fs.promises.open = async (...parameters) => {
    const handle = await open(...parameters);
    if (!isReplaced) {
      isReplaced = true;
      const handles: object = Object.getPrototypeOf(handle);
      for (const name of HANDLE_CHANGES.split(' ')) replace(handles, name, 'handle', () => '');
    }
    return handle;
  };
}

/** A database's file is made when it is opened: that comes before the first step on it. */
function replaceDatabases(): void {
  const databases = new WeakMap<object, string>();
  replace(
    DatabaseSync.prototype,
    'exec',
    'sqlite',
    (self, [sql]) => `${fileOf(self)} ${text(sql)}`,
  );
  replace(DatabaseSync.prototype, 'close', 'sqlite', (self) => fileOf(self));
  wrap(DatabaseSync.prototype, 'prepare', (prepare, self, parameters) => {
    const statement = Reflect.apply(prepare, self, parameters) as StatementSync;
    databases.set(statement, fileOf(self));
    return statement;
  });
  for (const name of ['run', 'get', 'all', 'iterate']) {
    replace(StatementSync.prototype, name, 'sqlite', (self) => {
      const { sourceSQL } = self as StatementSync;
      if (READS.test(sourceSQL)) return undefined;
      return `${databases.get(self as StatementSync) ?? ''} ${text(sourceSQL)}`;
    });
  }
}

/** Makes each call of `owner[name]` that `describe` has words for a step. */
function replace(owner: object, name: string, group: string, describe: Describe): void {
  wrap(owner, name, (target, self, parameters) => {
    const what = describe(self, parameters);
    if (what === undefined) return Reflect.apply(target, self, parameters);
    return takeStep(`${group}.${name} ${what}`, target, self, parameters);
  });
}

/** Puts `around` in front of `owner[name]`, if there is such a function. */
function wrap(
  owner: object,
  name: string,
  around: (target: Method, self: unknown, parameters: unknown[]) => unknown,
): void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== 'function') return;
  const value = new Proxy(original as Method, { apply: around });
  Object.defineProperty(owner, name, { value });
}

function takeStep(what: string, target: Method, self: unknown, parameters: unknown[]): unknown {
  stepCount += 1;
  const number = stepCount;
  writeSync(log, `${thread}\t${number}\t${what.trim()}\n`);
  pass(`${thread} ${number} before`);
  const done = (): void => pass(`${thread} ${number} after`);
  const callback = parameters.at(-1);
  if (typeof callback === 'function') {
    const last = (...results: unknown[]): unknown => {
      done();
      return Reflect.apply(callback, undefined, results);
    };
    return Reflect.apply(target, self, [...parameters.slice(0, -1), last]);
  }
  const result = Reflect.apply(target, self, parameters);
  if (result instanceof Promise) return result.finally(done);
  done();
  return result;
}

function pass(moment: string): void {
  if (moment === fatalMoment) process.kill(process.pid, 'SIGKILL');
}

function describePath(_self: unknown, [path]: readonly unknown[]): string {
  return basename(String(path)).replaceAll(String(process.pid), 'PID');
}

/** Undefined for pipes and terminals, such as the standard output. */
function describeFile(_self: unknown, [fd]: readonly unknown[]): string | undefined {
  return typeof fd === 'number' && fstatSync(fd).isFile() ? '' : undefined;
}

/** Undefined when the file is opened for reading. */
function describeOpening(_self: unknown, parameters: readonly unknown[]): string | undefined {
  const flags = parameters[1];
  const writes =
    typeof flags === 'number' ? (flags & WRITE_FLAGS) !== 0 : /[wa+]/.test(text(flags));
  return writes ? describePath(undefined, parameters) : undefined;
}

function fileOf(database: unknown): string {
  return basename((database as DatabaseSync).location() ?? 'memory');
}

/** Text on one line, cut to a length; nothing for what is no text. */
function text(value: unknown): string {
  if (typeof value !== 'string') return '';
  return value.replaceAll(/\s+/g, ' ').trim().slice(0, TEXT_LENGTH_MAX);
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
