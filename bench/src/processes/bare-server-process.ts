import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endChild, type Child, type ChildProcesses } from './child-processes.ts';

const PROGRAM = fileURLToPath(new URL('bare-server.ts', import.meta.url));
const END_TIMEOUT_MS = 1000;

/** The bare server in a process of its own. */
export class BareServerProcess {
  readonly pid: number;
  readonly port: number;
  readonly #child: Child;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.port = port;
  }

  static async start(children: ChildProcesses): Promise<BareServerProcess> {
    const child = children.startNode([PROGRAM]);
    const [line] = await once(child.stdout, 'data');
    return new BareServerProcess(child, Number(String(line)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endChild(this.#child, END_TIMEOUT_MS);
  }
}
