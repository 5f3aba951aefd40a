#!/usr/bin/env node
// Plain JavaScript on purpose: it must run on any Node, to find the one the project brings.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'];
/** Those that a terminal sends to the child as well. */
const TERMINAL_SIGNALS = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];
const self = fileURLToPath(import.meta.url);
const folder = dirname(self);
const root = join(folder, '..', '..', '..');
const main = join(root, 'apps', 'tandem', 'src', 'main.ts');
const nodeMajor = Number(process.versions.node.split('.')[0]);

if (nodeMajor >= NODE_MAJOR_MIN) {
  // Half of a start is compiling. A folder that cannot be written is as good as none.
  module.enableCompileCache(join(root, 'node_modules', '.cache', 'tandem'));
  await import(main);
} else {
  const node = bundledNode();
  if (node === undefined) {
    process.stderr.write(
      `tandem needs Node.js ${NODE_MAJOR_MIN} or newer, and this is ${process.versions.node}.\n` +
        `Run 'npm ci' in the project's folder (it brings its own Node.js), or install a newer one.\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, [self, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of SIGNALS) {
    const isSentAnyway = process.stdin.isTTY && TERMINAL_SIGNALS.includes(signal);
    process.on(signal, () => isSentAnyway || child.kill(signal));
  }
  if (process.argv[2] === 'start') guard(node, child.pid);
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
  });
}

/** Has the daemon killed when this process is killed; see guard.js. */
function guard(node, pid) {
  const { stdin } = spawn(node, [join(folder, 'guard.js')], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: {},
  }).on('error', () => {});
  if (stdin === null || !existsSync('/proc')) return;
  stdin.on('error', () => {});
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  stdin.write(`watch ${pid} ${text.slice(text.lastIndexOf(')') + 2).split(' ')[19]}\n`);
}

/** The Node.js that the platform-gated optional dependency carries, if it is installed. */
function bundledNode() {
  try {
    const require = createRequire(import.meta.url);
    const folder = dirname(
      require.resolve(`node-${process.platform}-${process.arch}/package.json`),
    );
    const node = join(folder, 'bin', 'node');
    return existsSync(node) ? node : undefined;
  } catch {
    return undefined;
  }
}
