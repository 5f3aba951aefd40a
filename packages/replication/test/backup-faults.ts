import type { ObjectBody, ObjectStore, StoredObject } from '@tandem/storage';

/** Another cut than those of a store: the program under test must not know it. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

/**
 * A store that stops working with its call number `killAt`, and goes on failing from there, as a
 * store does for a process that is no more. The call has either not happened, or has without an
 * answer.
 */
export class FaultyStore implements ObjectStore {
  readonly url: string;
  readonly layout: ObjectStore['layout'];
  readonly #store: ObjectStore;
  killAt = Infinity;
  isDone = false;
  calls = 0;
  deletions = 0;
  /** Called before an object is read as a stream. */
  beforeStream: (() => Promise<void>) | undefined;

  constructor(store: ObjectStore) {
    this.#store = store;
    this.url = store.url;
    this.layout = store.layout;
  }

  put(key: string, body: ObjectBody, options?: { readonly createdMs?: number }): Promise<void> {
    return this.#call(() => this.#store.put(key, body, options));
  }

  putIfAbsent(key: string, body: Uint8Array): Promise<boolean> {
    return this.#call(() => this.#store.putIfAbsent(key, body));
  }

  probeConditionalWrites(): ReturnType<ObjectStore['probeConditionalWrites']> {
    return this.#store.probeConditionalWrites();
  }

  get(...parameters: Parameters<ObjectStore['get']>): Promise<Uint8Array> {
    return this.#call(() => this.#store.get(...parameters));
  }

  async *stream(key: string): AsyncGenerator<Uint8Array> {
    await this.beforeStream?.();
    await this.#call(async () => {});
    for await (const chunk of this.#store.stream(key)) {
      yield chunk;
      await this.#call(async () => {});
    }
  }

  stat(key: string): ReturnType<ObjectStore['stat']> {
    return this.#call(() => this.#store.stat(key));
  }

  async *list(...parameters: Parameters<ObjectStore['list']>): AsyncGenerator<StoredObject> {
    await this.#call(async () => {});
    yield* this.#store.list(...parameters);
  }

  delete(key: string): Promise<void> {
    this.deletions += 1;
    return this.#call(() => this.#store.delete(key));
  }

  check(): Promise<void> {
    return this.#store.check();
  }

  async #call<Result>(act: () => Promise<Result>): Promise<Result> {
    this.calls += 1;
    if (this.calls < this.killAt) return act();
    if (this.calls === this.killAt && this.isDone) await act();
    throw new Killed(`call ${this.calls}`);
  }
}
