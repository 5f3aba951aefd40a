import type { SaltSource } from '@loggia/ingest';

const SALT_BYTES = 32;

/** Salts that are kept nowhere and are the same in every run. */
export class MemorySalts implements SaltSource {
  readonly #salts = new Map<string, Uint8Array>();

  ensure(siteId: number, date: string): Uint8Array {
    const name = `${siteId} ${date}`;
    const salt = this.#salts.get(name) ?? new Uint8Array(SALT_BYTES).fill(this.#salts.size + 1);
    this.#salts.set(name, salt);
    return salt;
  }

  existing(siteId: number, date: string): Uint8Array | undefined {
    return this.#salts.get(`${siteId} ${date}`);
  }
}
