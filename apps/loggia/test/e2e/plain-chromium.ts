import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CHROMIUM_PATH, chromiumArgs } from './chromium.ts';

interface Answer {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/**
 * Chromium by its debugging protocol. Playwright makes every page believe that it is visible; here
 * a tab is hidden when another one lies over it.
 */
export class PlainChromium {
  readonly #browser: ChildProcess;
  readonly #socket: WebSocket;
  readonly #profile: string;
  readonly #answers = new Map<number, (answer: Answer) => void>();

  private constructor(browser: ChildProcess, socket: WebSocket, profile: string) {
    this.#browser = browser;
    this.#socket = socket;
    this.#profile = profile;
    socket.addEventListener('message', (event) => {
      const answer = JSON.parse(String(event.data)) as Answer;
      if (answer.id !== undefined) this.#answers.get(answer.id)?.(answer);
    });
  }

  /** Starts it with every host at `port` of this machine. */
  static async launch(port: number, userAgent: string): Promise<PlainChromium> {
    const profile = mkdtempSync(join(tmpdir(), 'loggia-chromium-'));
    const args = [
      ...chromiumArgs(port),
      `--user-agent=${userAgent}`,
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      'about:blank',
    ];
    const browser = spawn(CHROMIUM_PATH, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const socket = new WebSocket(await debuggerAddress(browser));
    await once(socket, 'open');
    return new PlainChromium(browser, socket, profile);
  }

  /** Opens `url` in a new tab, in front of the others, and tells the tab's id. */
  async openTab(url: string): Promise<string> {
    const { targetId } = await this.#send('Target.createTarget', { url });
    return String(targetId);
  }

  /** Brings a tab to the front. */
  async showTab(tab: string): Promise<void> {
    await this.#send('Target.activateTarget', { targetId: tab });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#browser, 'exit');
    await this.#send('Browser.close');
    await exited;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10 });
  }

  async #send(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const id = this.#answers.size + 1;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#answers.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await promise;
    if (result === undefined) throw new Error(`${method}: ${error?.message ?? 'no result'}`);
    return result;
  }
}

/** The address that the browser writes to its error stream when it is ready. */
async function debuggerAddress({ stderr }: ChildProcess): Promise<string> {
  if (stderr === null) throw new Error('the browser has no error stream');
  for await (const line of createInterface({ input: stderr })) {
    const address = /^DevTools listening on (ws:\S+)$/.exec(line)?.[1];
    if (address === undefined) continue;
    stderr.resume();
    return address;
  }
  throw new Error('the browser ended before it was ready');
}
