import type { NodeIdentity } from '@tandem/lease';
import { askPosition, type PeerAccess, type Position } from '@tandem/replication';

type NamedPositions = Readonly<Record<string, Position>>;

/** Knows of the present primary what only itself can tell: its proxy's place, and its positions. */
export class PrimaryDirectory {
  readonly #access: PeerAccess;
  #primaryId: string | undefined;
  #proxyUrl: string | undefined;
  #asking: Promise<void> | undefined;
  #positions: Promise<NamedPositions | undefined> | undefined;
  #nextPositions: Promise<NamedPositions | undefined> | undefined;

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

  /**
   * The positions of its databases as they are at some moment after this call; undefined when it does
   * not answer. Whoever comes while it is being asked shares the question after that.
   */
  positionsOf(primary: NodeIdentity): Promise<NamedPositions | undefined> {
    this.#nextPositions ??= this.#askPositions(primary, this.#positions);
    return this.#nextPositions;
  }

  async #askPositions(
    { advertiseUrl }: NodeIdentity,
    before: Promise<unknown> | undefined,
  ): Promise<NamedPositions | undefined> {
    await before;
    this.#positions = this.#nextPositions;
    this.#nextPositions = undefined;
    try {
      return (await askPosition(advertiseUrl, this.#access)).positions;
    } catch {
      return undefined;
    }
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
