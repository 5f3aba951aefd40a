import type { Counters } from './counters.ts';
import type { Exchange } from './exchange.ts';
import { openTunnel, type TunnelEnd } from './tunnel.ts';

interface OpenTunnel {
  readonly isLocalWrite: boolean;
  readonly close: () => void;
}

/** The tunnels that are open. */
export class Tunnels {
  readonly #open = new Set<OpenTunnel>();
  readonly #counters: Counters;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Connects the client of `exchange`, which asked for it, with a server that agreed; resolves when
   * both have ended. `isLocalWrite`: what comes through may write to this node's database.
   */
  async join(exchange: Exchange, end: TunnelEnd, isLocalWrite: boolean): Promise<void> {
    const { upgrade } = exchange;
    if (upgrade === undefined || exchange.gone.aborted) {
      end.socket.destroy();
      return;
    }
    exchange.isEndless = true;
    this.#counters.add('tunnels');
    const { close, closed } = openTunnel(exchange, upgrade, end);
    const tunnel = { isLocalWrite, close };
    this.#open.add(tunnel);
    await closed;
    this.#open.delete(tunnel);
  }

  closeAll(): void {
    for (const { close } of this.#open) close();
  }

  /** Ends those that wrote here, so that their clients come again and are led to the new primary. */
  closeLocalWrites(): void {
    for (const { isLocalWrite, close } of this.#open) if (isLocalWrite) close();
  }
}
