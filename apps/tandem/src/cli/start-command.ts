import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { formatNote } from '../config/config-check.ts';
import { readConfig } from '../config/read-config.ts';
import type { CommandConfig, TandemConfig } from '../config/tandem-config.ts';
import { openLog } from '../daemon/daemon-log.ts';
import { ApplicationGuard } from '../supervise/application-guard.ts';
import { childEnvironment } from '../supervise/child-environment.ts';
import { databaseUsers } from '../supervise/database-users.ts';
import { Supervisor, type SupervisedCommand, type SuperviseLog } from '../supervise/supervisor.ts';
import { type Command, CONFIG_FLAGS, configRequestOf, type Invocation } from './command.ts';
import { runDaemon, type RunningDaemon } from './run-daemon.ts';

const PROMOTE_MS = 10_000;
const GRACE_MS = 30_000;
const LOOK_MS = 20;
const SIGNAL_BASE = 128;
/** Variables of the daemon that are no business of the application. */
const SECRET = /^TANDEM_.*(?:TOKEN|PASSWORD|SECRET)/;
const EARLY_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** `tandem start`. */
export const START_COMMAND: Command = {
  summary: 'run the daemon, and the application with it',
  usage: '[-- COMMAND]',
  flags: CONFIG_FLAGS,
  wordsMin: 0,
  wordsMax: 0,
  takesCommand: true,
  run: start,
};

/** Runs until a signal, or the end of the application, whose exit code it returns. */
async function start(invocation: Invocation): Promise<number> {
  const { config, notes } = readConfig(configRequestOf(invocation));
  for (const note of notes) invocation.complain(`tandem: ${formatNote(note)}`);
  if (config === null) return 1;
  const log = openLog(config.log);
  const running = await runDaemon(config, log);
  try {
    const early = await prepare(running, config);
    if (early !== undefined) return SIGNAL_BASE + constants.signals[early];
    log.info({ api: running.localUrl, node: config.node.name }, 'tandem runs');
    return await supervise(invocation, config, running, log);
  } finally {
    await running.stop();
  }
}

/** What has to be there before the application starts. @returns the signal that came meanwhile */
async function prepare(
  { daemon }: RunningDaemon,
  config: TandemConfig,
): Promise<NodeJS.Signals | undefined> {
  const stopping = new AbortController();
  let early: NodeJS.Signals | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    early = signal;
    stopping.abort();
  };
  for (const signal of EARLY_SIGNALS) process.on(signal, stop);
  try {
    if (!config.skipSync) {
      await daemon.ready(stopping.signal);
      const { promote, candidate } = config.lease;
      const limit = AbortSignal.any([stopping.signal, AbortSignal.timeout(PROMOTE_MS)]);
      if (promote && candidate) await daemon.promote(limit);
    }
    if (config.proxy !== null) await daemon.openProxy(config.proxy);
  } catch (error) {
    if (early === undefined) throw error;
  } finally {
    for (const signal of EARLY_SIGNALS) process.off(signal, stop);
  }
  return early;
}

async function supervise(
  invocation: Invocation,
  config: TandemConfig,
  { daemon, localUrl }: RunningDaemon,
  log: Logger,
): Promise<number> {
  const { node } = daemon;
  const commands = [...config.commands, ...(config.exec === null ? [] : [config.exec])];
  const say: SuperviseLog = (level, message, facts) => log[level](facts, message);
  if (commands.length > 0) tellOfOthers(config.databases.folder, say);
  const guard = commands.length > 0 ? new ApplicationGuard(say) : undefined;
  const supervisor = new Supervisor({
    commands: commands.map(supervised),
    isCandidate: config.lease.candidate,
    untilRoleIsKnown: async (signal) => {
      while (node.role === 'none') await sleep(LOOK_MS, undefined, { signal });
      return node.role === 'primary' ? 'primary' : 'replica';
    },
    environment: childEnvironment(
      invocation.env,
      {
        url: localUrl,
        primaryFile: `${config.databases.folder}/.primary`,
        databasesFolder: config.databases.folder,
      },
      Object.keys(invocation.env).filter((name) => SECRET.test(name)),
    ),
    graceMs: GRACE_MS,
    onRoleChange: { kind: 'nothing' },
    exitsOnError: config.exitOnError,
    signals: process,
    hasTerminal: process.stdin.isTTY,
    beforeEnd: (hurry) => daemon.leave(hurry),
    onProcess: (pid) => guard?.watch(pid),
    log: say,
  });
  supervisor.roleChanged(node.role === 'primary');
  const unlisten = node.listen((event) => {
    if (event.kind === 'role') supervisor.roleChanged(event.role === 'primary');
  });
  // A daemon that breaks down must not leave the application writing without it.
  const kill = (): void => supervisor.kill();
  process.on('exit', kill);
  try {
    return await supervisor.run();
  } finally {
    process.off('exit', kill);
    unlisten();
    guard?.close();
  }
}

function supervised({ program, words, condition }: CommandConfig): SupervisedCommand {
  return { words: [program, ...words.slice(1)], condition };
}

/** The application of a daemon that was killed may run on: a machine may have lost its guard too. */
function tellOfOthers(folder: string, log: SuperviseLog): void {
  for (const { pid, command, path } of databaseUsers(realpathSync(folder))) {
    const hint = `If it is an application that a former daemon started, end it: kill ${pid}`;
    const facts = { pid, command, path, hint };
    log('warn', 'another program has a database open before the application starts', facts);
  }
}
