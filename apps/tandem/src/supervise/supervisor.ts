import { ChildCommand } from './child-command.ts';
import { describeEnd, exitCodeOf } from './exit-code.ts';
import {
  isEndingSignal,
  listenToSignals,
  type PassedSignal,
  type SignalSource,
} from './signal-source.ts';
import { SuperviseError } from './supervise-error.ts';
import { untilAborted } from './until-aborted.ts';

/** A command of the configuration. */
export interface SupervisedCommand {
  /** Program and arguments; at least one word. */
  readonly words: readonly string[];
  /** On which nodes it runs. */
  readonly condition: 'always' | 'if-candidate' | 'if-primary';
}

/** What is done to the application when this node becomes primary, or stops being it. */
export type OnRoleChange =
  | { readonly kind: 'nothing' }
  /** It is ended, and all commands run again from the first. */
  | { readonly kind: 'restart' }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

/** An occasion to log. */
export type SuperviseLog = (
  level: 'info' | 'warn' | 'error',
  message: string,
  facts: Readonly<Record<string, string | number>>,
) => void;

export interface SupervisorOptions {
  /** All but the last run to their end, one after the other; the last is the application. */
  readonly commands: readonly SupervisedCommand[];
  readonly isCandidate: boolean;
  /** Resolves with whether this node is primary, as soon as somebody is. */
  readonly untilRoleIsKnown: (signal: AbortSignal) => Promise<'primary' | 'replica'>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder?: string;
  readonly graceMs: number;
  readonly onRoleChange: OnRoleChange;
  /** Whether a command that fails before the application ends the daemon. */
  readonly exitsOnError: boolean;
  /** `process`, but for tests. */
  readonly signals: SignalSource;
  /** Whether standard input is a terminal. */
  readonly hasTerminal: boolean;
  /**
   * Called at the first signal that asks to end, before the application gets it: the time to hand
   * off while the application still answers. `hurry` aborts when a second signal comes; the promise
   * then settles soon. Not called while a command before the application runs.
   */
  readonly beforeEnd?: (hurry: AbortSignal) => Promise<void>;
  /** Told of the process of each command, and with undefined when it has ended. */
  readonly onProcess?: (pid: number | undefined) => void;
  readonly log: SuperviseLog;
}

/** How a round of commands ended: with the exit code of the daemon, or to begin anew. */
type RoundEnd = { readonly kind: 'exit'; readonly code: number } | { readonly kind: 'again' };

/**
 * Runs the commands of the configuration, passes signals on, and gives the application's exit code.
 * `run` is called once.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  /** Aborts at the first signal that asks to end. */
  readonly #ending = new AbortController();
  /** Aborts at the second. */
  readonly #hurry = new AbortController();
  #child: ChildCommand | undefined;
  #isApplication = false;
  #isPrimary: boolean | undefined;
  #isRestartDue = false;
  #endingSignal: PassedSignal | undefined;
  /** Settles when the first signal that asks to end has been passed on. */
  #passing: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Whether the application, the last command, is running. */
  get isApplicationRunning(): boolean {
    return this.#isApplication && this.#child !== undefined;
  }

  /**
   * Runs everything. The caller has seen to it that the node is ready.
   *
   * @returns the exit code for the daemon: the application's own, or 128 and the signal's number when a
   * signal ended it or came before it; that of the command that failed; 0 when there is no application
   * and the daemon was asked to end
   */
  async run(): Promise<number> {
    const unlisten = listenToSignals(this.#options.signals, (signal) => this.#signalled(signal));
    try {
      for (;;) {
        const end = await this.#runRound();
        if (end.kind === 'exit') return end.code;
        this.#options.log('info', 'the commands run again, since the role has changed', {});
      }
    } catch (error) {
      if (!(error instanceof SuperviseError)) throw error;
      return await this.#failed(error);
    } finally {
      await this.#passing;
      unlisten();
    }
  }

  /** Kills what runs, at once: for a daemon that cannot go on, so that nobody writes without it. */
  kill(): void {
    this.#child?.kill();
  }

  /** Tells of the node's role. Only a change between primary and not primary matters. */
  roleChanged(isPrimary: boolean): void {
    const hasChanged = this.#isPrimary !== undefined && this.#isPrimary !== isPrimary;
    this.#isPrimary = isPrimary;
    const { onRoleChange } = this.#options;
    if (!hasChanged || this.#ending.signal.aborted) return;
    if (onRoleChange.kind === 'restart') {
      this.#isRestartDue = true;
      if (this.isApplicationRunning) this.#child?.send('SIGTERM');
    }
    if (onRoleChange.kind === 'signal' && this.isApplicationRunning) {
      this.#child?.send(onRoleChange.signal);
    }
  }

  async #runRound(): Promise<RoundEnd> {
    const { commands } = this.#options;
    this.#isRestartDue = false;
    for (const [index, command] of commands.entries()) {
      const isLast = index === commands.length - 1;
      const isDue = await this.#isDue(command);
      if (this.#ending.signal.aborted) return { kind: 'exit', code: this.#endingCode };
      if (!isDue && isLast) return { kind: 'exit', code: await this.#waitForEnd() };
      if (!isDue) continue;
      const code = await this.#runCommand(command, isLast);
      if (this.#isRestartDue && !this.#ending.signal.aborted) return { kind: 'again' };
      if (isLast) return { kind: 'exit', code };
      if (this.#ending.signal.aborted) return { kind: 'exit', code: code || this.#endingCode };
    }
    return { kind: 'exit', code: await this.#waitForEnd() };
  }

  async #isDue({ words, condition }: SupervisedCommand): Promise<boolean> {
    const { isCandidate, log, untilRoleIsKnown } = this.#options;
    if (condition === 'always' || this.#ending.signal.aborted) return true;
    const command = words.join(' ');
    if (condition === 'if-candidate') {
      if (!isCandidate) log('info', 'skipped, since this node is no candidate', { command });
      return isCandidate;
    }
    const { signal } = this.#ending;
    const role = await Promise.race([untilRoleIsKnown(signal), untilAborted(signal)]).catch(
      (error: unknown) => {
        if (signal.aborted) return undefined;
        throw error;
      },
    );
    if (role === undefined) return true;
    if (role !== 'primary') log('info', 'skipped, since this node is not primary', { command });
    return role === 'primary';
  }

  /** @throws SuperviseError when it cannot be started, or fails and is not the last. */
  async #runCommand({ words, condition }: SupervisedCommand, isLast: boolean): Promise<number> {
    const { log, onProcess } = this.#options;
    const command = words.join(' ');
    log('info', isLast ? 'the application starts' : 'a command starts', { command, condition });
    const child = new ChildCommand({ ...this.#options, words });
    onProcess?.(child.pid);
    this.#child = child;
    this.#isApplication = isLast;
    try {
      const end = await child.ended;
      const code = exitCodeOf(end);
      log('info', isLast ? 'the application ended' : 'a command ended', {
        command,
        end: describeEnd(end),
      });
      const isMeant = isLast || code === 0 || this.#ending.signal.aborted || this.#isRestartDue;
      if (isMeant) return code;
      throw new SuperviseError('command_failed', `'${command}' ended with ${describeEnd(end)}.`, {
        exitCode: code,
        hint: 'The commands after it were not run. Its own output above says why.',
      });
    } finally {
      this.#child = undefined;
      onProcess?.(undefined);
    }
  }

  async #failed(error: SuperviseError): Promise<number> {
    const { log, exitsOnError } = this.#options;
    const { code, hint = '', exitCode } = error;
    log('error', error.message, { code, hint, exitCode });
    if (exitsOnError || this.#ending.signal.aborted) return exitCode;
    log('warn', 'the daemon stays up without the application, as exit-on-error is false', {});
    await this.#waitForEnd();
    return exitCode;
  }

  /** Nothing runs; the daemon goes on until it is asked to end, and then has nothing to regret. */
  async #waitForEnd(): Promise<number> {
    await untilAborted(this.#ending.signal);
    return 0;
  }

  get #endingCode(): number {
    return exitCodeOf({ code: null, signal: this.#endingSignal ?? 'SIGTERM' });
  }

  #signalled(signal: PassedSignal): void {
    if (!isEndingSignal(signal)) {
      this.#child?.pass(signal);
      return;
    }
    if (this.#ending.signal.aborted) {
      this.#hurry.abort();
      this.#child?.pass(signal);
      return;
    }
    this.#endingSignal = signal;
    this.#ending.abort();
    this.#passing = this.#passAfter(signal);
  }

  async #passAfter(signal: PassedSignal): Promise<void> {
    const { beforeEnd, log } = this.#options;
    try {
      const isPreparing = this.#child !== undefined && !this.#isApplication;
      if (!isPreparing) await beforeEnd?.(this.#hurry.signal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log('warn', 'what comes before the end failed; the application ends all the same', {
        reason,
      });
    }
    this.#child?.pass(signal);
  }
}
