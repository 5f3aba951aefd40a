import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LeaseView } from '@tandem/lease';
import type {
  ReadRequest,
  ReadResult,
  SimAction,
  SimAudit,
  SimSettings,
  SimStatus,
  WriteRequest,
  WriteResult,
} from './fault-app.ts';
import type { SimNode } from './fault-world.ts';
import type { LeaseAnswer, LeaseQuestion, MemoryLeases } from './memory-lease.ts';

/** What the parent asks of a node. */
export type SimCall =
  | { readonly method: 'write'; readonly argument: WriteRequest }
  | { readonly method: 'read'; readonly argument: ReadRequest }
  | { readonly method: 'act'; readonly argument: SimAction }
  | { readonly method: 'status' | 'audit' | 'stop'; readonly argument?: undefined };

export type ParentMessage =
  | { readonly kind: 'start'; readonly settings: SimSettings; readonly port: number }
  | {
      readonly kind: 'lease-answer';
      readonly number: number;
      readonly answer: LeaseAnswer | undefined;
    }
  | { readonly kind: 'lease-view'; readonly view: LeaseView }
  | { readonly kind: 'call'; readonly number: number; readonly call: SimCall };

export type ChildMessage =
  | { readonly kind: 'started'; readonly port: number }
  | { readonly kind: 'lease'; readonly number: number; readonly question: LeaseQuestion }
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'result'; readonly number: number; readonly result: unknown }
  | { readonly kind: 'failure'; readonly number: number; readonly message: string };

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

const PROGRAM = fileURLToPath(new URL('./fault-process.ts', import.meta.url));
const LINES_MAX = 400;

/** A node in a process of its own, which can be killed and paused. */
export class ProcessNode implements SimNode {
  readonly can = { kill: true, pause: true, fillDisk: true };
  readonly logged: string[] = [];
  #port = 0;
  #child: ChildProcess | undefined;
  #stopWatching: (() => void) | undefined;
  #calls = 0;
  readonly #waiting = new Map<number, Waiting>();

  static async make(): Promise<ProcessNode> {
    return new ProcessNode();
  }

  get port(): number {
    return this.#port;
  }

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  async start(settings: SimSettings, leases: MemoryLeases): Promise<void> {
    const child = fork(PROGRAM, {
      execArgv: ['--no-warnings'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#note(`says ${text.trim()}`));
    }
    const link = leases.link(settings.identity);
    const started = Promise.withResolvers<void>();
    child.on('message', (message: ChildMessage) => {
      if (message.kind === 'started') {
        this.#port = message.port;
        started.resolve();
      } else if (message.kind === 'log') {
        this.#note(message.line);
      } else if (message.kind === 'lease') {
        const { number, question } = message;
        void link.ask(question).then(
          (answer) => send(child, { kind: 'lease-answer', number, answer }),
          () => send(child, { kind: 'lease-answer', number, answer: undefined }),
        );
      } else this.#answered(message);
    });
    child.on('exit', (code, signal) => {
      this.#note(`${settings.identity.id} ended: ${signal ?? code}`);
      // It may be killed before it has started.
      if (signal === 'SIGKILL') started.resolve();
      else started.reject(new Error(`the node ended: ${signal ?? code}`));
      if (this.#child === child) this.#gone();
    });
    this.#child = child;
    send(child, { kind: 'start', settings, port: this.#port });
    this.#stopWatching = link.watch((view) => send(child, { kind: 'lease-view', view }));
    await started.promise;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    await this.#call({ method: 'stop' }).catch(() => undefined);
    await this.#end(child);
  }

  async kill(): Promise<void> {
    if (this.#child !== undefined) await this.#end(this.#child);
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async write(request: WriteRequest): Promise<WriteResult> {
    if (!this.isUp) return { kind: 'refused', why: 'it is not up' };
    try {
      return (await this.#call({ method: 'write', argument: request })) as WriteResult;
    } catch {
      return { kind: 'vanished' };
    }
  }

  async read(request: ReadRequest): Promise<ReadResult | undefined> {
    const read = await this.#try({ method: 'read', argument: request });
    return read as ReadResult | undefined;
  }

  async status(): Promise<SimStatus | undefined> {
    return (await this.#try({ method: 'status' })) as SimStatus | undefined;
  }

  async act(action: SimAction): Promise<string> {
    const answer = await this.#try({ method: 'act', argument: action });
    return typeof answer === 'string' ? answer : 'it does not answer';
  }

  async audit(): Promise<SimAudit> {
    return (await this.#call({ method: 'audit' })) as SimAudit;
  }

  async close(): Promise<void> {
    this.resume();
    await this.kill();
  }

  async #end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  #gone(): void {
    this.#stopWatching?.();
    this.#child = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new Error('the process has ended'));
  }

  async #try(call: SimCall): Promise<unknown> {
    if (!this.isUp) return undefined;
    return this.#call(call).catch(() => undefined);
  }

  #call(call: SimCall): Promise<unknown> {
    const child = this.#child;
    if (child === undefined) throw new Error('it is not up');
    this.#calls += 1;
    const number = this.#calls;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(number, { resolve, reject });
    send(child, { kind: 'call', number, call });
    return promise;
  }

  #answered(message: ChildMessage & { readonly kind: 'result' | 'failure' }): void {
    const waiting = this.#waiting.get(message.number);
    this.#waiting.delete(message.number);
    if (message.kind === 'result') waiting?.resolve(message.result);
    else waiting?.reject(new Error(message.message));
  }

  #note(line: string): void {
    this.logged.push(`${Math.round(performance.now())} ${line}`);
    if (this.logged.length > LINES_MAX) this.logged.shift();
  }
}

function send(child: ChildProcess, message: ParentMessage): void {
  // A child that has just ended is told nothing more.
  if (child.connected) child.send(message, () => undefined);
}
