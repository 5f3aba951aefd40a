import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync, StatementSync } from 'node:sqlite';

/**
 * Loaded before a program (`--import`): from the line "armed" on its standard output on, ends the
 * process with SIGKILL before its `KILL_AT`-th call to the file system or to SQLite. Of a write, half
 * is done. At the end it prints how many calls there were.
 */
const killAt = Number(process.env['KILL_AT'] ?? Infinity);
const FILE_CALLS = [
  'closeSync',
  'copyFileSync',
  'fdatasyncSync',
  'fsyncSync',
  'ftruncateSync',
  'futimesSync',
  'mkdirSync',
  'openSync',
  'renameSync',
  'rmSync',
  'unlinkSync',
  'writeFileSync',
  'writeSync',
] as const;
const writeSync = fs.writeSync.bind(fs);
let calls = 0;
let isArmed = false;

function count(write?: () => void): void {
  if (!isArmed) return;
  calls += 1;
  if (calls < killAt) return;
  write?.();
  process.kill(process.pid, 'SIGKILL');
  // The signal may take a moment, in which nothing more must happen.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function wrap(owner: object, name: string): void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== 'function') throw new TypeError(`${name} is no function`);
  Reflect.set(owner, name, function (this: unknown, ...parameters: unknown[]): unknown {
    const [descriptor, bytes, from, length, at] = parameters;
    const isWrite = name === 'writeSync' && bytes instanceof Uint8Array && Number(length) > 1;
    if (descriptor === 1) {
      if (bytes === 'armed\n') isArmed = true;
    } else if (isWrite) {
      count(() => {
        writeSync(Number(descriptor), bytes, Number(from), Number(length) >> 1, Number(at));
      });
    } else count();
    return Reflect.apply(original, this, parameters);
  });
}

for (const name of FILE_CALLS) wrap(fs, name);
syncBuiltinESMExports();
for (const name of ['exec', 'close']) wrap(DatabaseSync.prototype, name);
for (const name of ['get', 'run', 'all']) wrap(StatementSync.prototype, name);
process.on('exit', () => {
  isArmed = false;
  fs.writeSync(1, `calls ${calls}\n`);
});
