import { EmbeddedStore, type EmbeddedStoreOptions, type TailSource } from '../src/index.ts';

export const MIB = 1024 * 1024;

/** A statement that runs for hours unless it is ended. */
export const ENDLESS = {
  sql: 'SELECT count(*) FROM range(1000000000) a, range(1000000000) b',
  parameters: [],
};

/** A small store over `tail`; close it, or open it with `await using`. */
export function openStore(
  tail: TailSource,
  options: Partial<EmbeddedStoreOptions> = {},
): Promise<EmbeddedStore> {
  return EmbeddedStore.open({ tail, limits: { memoryBytes: 128 * MIB, threads: 1 }, ...options });
}
