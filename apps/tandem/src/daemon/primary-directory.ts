import type { NodeIdentity } from '@tandem/lease';
import { askPosition, type PeerAccess } from '@tandem/replication';

/** Knows where the proxy of the present primary is, which only the primary itself can tell. */
export class PrimaryDirectory {
  readonly #access: PeerAccess;
  #primaryId: string | undefined;
  #proxyUrl: string | undefined;
  #asking: Promise<void> | undefined;

  constructor(access: PeerAccess) {
    this.#access = access;
  }

  /** The proxy of that primary; undefined as long as it has not been asked. */
  proxyUrlOf(primary: NodeIdentity): string | undefined {
    return this.#primaryId === primary.id ? this.#proxyUrl : undefined;
  }

  /** Asks the primary, once at a time. Resolves also when it does not answer. */
  learn(primary: NodeIdentity): Promise<void> {
    this.#asking ??= this.#ask(primary).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(primary: NodeIdentity): Promise<void> {
    try {
      const { proxyUrl } = await askPosition(primary.advertiseUrl, this.#access);
      this.#primaryId = primary.id;
      this.#proxyUrl = proxyUrl;
    } catch {
      // Whoever waits asks again, and gives up after its own time.
    }
  }
}
