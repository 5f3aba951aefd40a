import { runCommandLine } from './cli/run-command-line.ts';

// A reader that has seen enough (`loggia site list | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: currentFolder(),
  nowMs: () => Date.now(),
});

// Threads of a server that could not start must not keep the process, and nothing that was written
// may be lost where pipes are asynchronous.
process.stderr.write('', () => process.stdout.write('', () => process.exit()));

/**
 * A folder that was removed under a running shell is no reason not to start. Threads could not, so
 * the process leaves it.
 */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    process.chdir('/');
    return '/';
  }
}
