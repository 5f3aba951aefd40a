import { Supervisor } from '../src/supervise/supervisor.ts';

/** A daemon of nothing but its supervisor, with the real signals. The command is its parameters. */
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
  log: () => {},
});
process.exitCode = await supervisor.run();
