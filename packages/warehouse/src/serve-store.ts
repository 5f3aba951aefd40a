import type { MessagePort } from 'node:worker_threads';
import type { EventStore } from './event-store.ts';
import { encodeFailure, type StoreReply, type StoreRequest } from './store-message.ts';

/**
 * Answers a `RemoteStore` on the other end of `port` until it asks to close. All a thread's entry
 * has to do is to open a store and call this with its `parentPort`; requests that came before wait
 * in the port.
 *
 * An error of the thread that nobody caught ends it, but only after the store has been closed: a
 * statement that still runs when its thread goes would take the whole process with it, since
 * DuckDB's binding aborts when it cannot deliver its result.
 */
export function serveStore(port: MessagePort, store: EventStore): void {
  const running = new Map<number, AbortController>();

  const reply = (message: StoreReply): void => port.postMessage(message);

  const serve = async (request: Exclude<StoreRequest, { kind: 'cancel' }>): Promise<void> => {
    const { id } = request;
    try {
      reply({ kind: 'answer', id, value: await perform(store, request, running) });
    } catch (error) {
      reply({ kind: 'failure', id, failure: encodeFailure(error) });
    } finally {
      running.delete(id);
    }
    if (request.kind === 'close') port.close();
  };

  port.on('message', (request: StoreRequest) => {
    if (request.kind === 'cancel') running.get(request.id)?.abort();
    else void serve(request);
  });
  let ending = false;
  process.on('uncaughtException', (reason: unknown) => {
    if (ending) return;
    ending = true;
    const error = reason instanceof Error ? reason : new Error(String(reason));
    reply({ kind: 'crash', error });
    void endThread(store);
  });
}

async function endThread(store: EventStore): Promise<void> {
  try {
    await store.close();
  } finally {
    process.exit(1);
  }
}

async function perform(
  store: EventStore,
  request: Exclude<StoreRequest, { kind: 'cancel' }>,
  running: Map<number, AbortController>,
): Promise<unknown> {
  if (request.kind === 'status') return store.status();
  if (request.kind === 'follow') return store.follow();
  if (request.kind === 'close') return store.close();
  const controller = new AbortController();
  running.set(request.id, controller);
  return store.query(request.statement, { ...request.options, signal: controller.signal });
}
