import type { NodeIdentity } from '@tandem/lease';
import type { Complaints } from './complaints.ts';
import { askPosition, type PeerAccess } from './peer-client.ts';

export interface TwinWatchOptions {
  readonly self: NodeIdentity;
  readonly access: PeerAccess;
  readonly complaints: Complaints;
}

/**
 * Finds out why the lease is held under this node's name: by the process that this one follows on
 * from, which is gone and whose lease will end, or by another node that was given the same name.
 */
export class TwinWatch {
  readonly #options: TwinWatchOptions;
  #asked = '';

  constructor(options: TwinWatchOptions) {
    this.#options = options;
  }

  /** Whether the holder has the name of this node and is not this process. */
  isNamesake(holder: NodeIdentity): boolean {
    const { self } = this.#options;
    return holder.name === self.name && holder.id !== self.id;
  }

  /** Asks the holder, once for each. */
  look(holder: NodeIdentity | undefined): void {
    if (holder === undefined || !this.isNamesake(holder) || this.#asked === holder.id) return;
    this.#asked = holder.id;
    void this.#ask(holder);
  }

  async #ask({ id, name, advertiseUrl }: NodeIdentity): Promise<void> {
    const { access, complaints } = this.#options;
    try {
      const report = await askPosition(advertiseUrl, access);
      if (report.id !== id) return;
    } catch {
      // It is gone, or will be asked when it has renewed its lease under another id.
      return;
    }
    complaints.say('warn', 'another node has the name of this one', {
      message: `The primary at ${advertiseUrl} is named ${name} too; this node does not follow it.`,
      hint: 'Give every node a name of its own: the name of its pod or host.',
    });
  }
}
