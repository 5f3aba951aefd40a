import type { MessagePort } from 'node:worker_threads';
import type { EventStore } from './event-store.ts';
import { encodeFailure, type StoreReply, type StoreRequest } from './store-message.ts';

/**
 * Answers a `RemoteStore` on the other end of `port` until it asks to close, or until the port
 * itself closes: then the store is closed. All a worker's entry has to do is to open a store and
 * call this; requests that came before wait in the port.
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
  port.on('close', () => void store.close().catch(() => undefined));
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
