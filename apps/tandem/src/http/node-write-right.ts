import { setTimeout } from 'node:timers/promises';
import { EXIT_CODES } from '../supervise/exit-code.ts';
import type { WriteRight } from '../supervise/run-with-write-lock.ts';
import { SuperviseError } from '../supervise/supervise-error.ts';
import type { TandemClient } from './client.ts';
import { ClientError } from './client-error.ts';

const RETRY_MS = 250;
/** The previous primary comes back as a replica before it can be handed to. */
const RETURN_MS_MAX = 15_000;

/** The right to write on a node, had by asking the node over HTTP. */
export class NodeWriteRight implements WriteRight {
  readonly #client: TandemClient;
  /** The primary before, if that was another node. */
  #previous: string | undefined;

  constructor(client: TandemClient) {
    this.#client = client;
  }

  async acquire(signal: AbortSignal): Promise<void> {
    for (;;) {
      const info = await this.#client.info(signal);
      if (info['isPrimary'] === true) return;
      const { hostname } = Object(info['primary']) as { readonly hostname?: unknown };
      if (typeof hostname === 'string') this.#previous = hostname;
      try {
        await this.#client.promote(signal);
        return;
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        mustBeTemporary(error);
      }
      await setTimeout(RETRY_MS, undefined, { signal });
    }
  }

  async release(): Promise<void> {
    if (this.#previous === undefined) return;
    const limit = AbortSignal.timeout(RETURN_MS_MAX);
    for (;;) {
      try {
        await this.#client.handOff(this.#previous);
        return;
      } catch (error) {
        const isBack = !(error instanceof ClientError) || error.nodeCode !== 'unknown_node';
        if (isBack || limit.aborted) throw error;
      }
      await setTimeout(RETRY_MS);
    }
  }
}

/** Throws on when the same request would fail again. */
function mustBeTemporary(error: ClientError): void {
  if (error.retryable && error.code === 'node_refused') return;
  if (error.nodeCode !== 'static_lease') throw error;
  const { message, hint } = error;
  throw new SuperviseError('write_right_static', `${message} The command was not run.`, {
    cause: error,
    exitCode: EXIT_CODES.unavailable,
    hint: hint ?? 'Run the command on the primary.',
  });
}
