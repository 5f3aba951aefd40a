import { ApplicationGuard } from '../src/supervise/application-guard.ts';
import { Supervisor } from '../src/supervise/supervisor.ts';

/**
 * A daemon of nothing but its supervisor and guard, with the real signals. The command is its
 * parameters; what it logs goes to standard error with LOG=1.
 */
const log = (_level: string, message: string): void => {
  if (process.env['LOG'] === '1') process.stderr.write(`${message}\n`);
};
const guard = new ApplicationGuard(log);
const supervisor = new Supervisor({
  commands: [{ words: process.argv.slice(2), condition: 'always' }],
  isCandidate: true,
  untilRoleIsKnown: async () => 'primary',
  environment: process.env,
  graceMs: 60_000,
  onRoleChange: { kind: 'nothing' },
  exitsOnError: true,
  signals: process,
  hasTerminal: false,
  onProcess: (pid) => guard.watch(pid),
  log,
});
process.exitCode = await supervisor.run();
guard.close();
