import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LeaseView } from '@tandem/lease';
import { SimApp, type SimSettings } from './fault-app.ts';
import { routeHost } from './fault-network.ts';
import type { ChildMessage, ParentMessage, SimCall } from './fault-process-node.ts';
import { MemoryLease, type LeaseAnswer, type LeaseLink } from './memory-lease.ts';

/** One node in a process of its own. The parent has the lease store, and asks for what is to be done. */
const parent = {
  send: (message: ChildMessage): void => void process.send?.(message),
};

class ParentLink implements LeaseLink {
  readonly #waiting = new Map<number, (answer: LeaseAnswer | undefined) => void>();
  readonly #watchers = new Set<(view: LeaseView) => void>();
  #view: LeaseView | undefined;
  #asked = 0;

  async ask(question: Parameters<LeaseLink['ask']>[0]): Promise<LeaseAnswer> {
    this.#asked += 1;
    const number = this.#asked;
    const { promise, resolve } = Promise.withResolvers<LeaseAnswer | undefined>();
    this.#waiting.set(number, resolve);
    parent.send({ kind: 'lease', number, question });
    const answer = await promise;
    if (answer === undefined) throw new Error('the store does not answer');
    return answer;
  }

  watch(onChange: (view: LeaseView) => void): () => void {
    this.#watchers.add(onChange);
    if (this.#view !== undefined) onChange(this.#view);
    return () => void this.#watchers.delete(onChange);
  }

  answered(number: number, answer: LeaseAnswer | undefined): void {
    this.#waiting.get(number)?.(answer);
    this.#waiting.delete(number);
  }

  changed(view: LeaseView): void {
    this.#view = view;
    for (const onChange of this.#watchers) onChange(view);
  }
}

const link = new ParentLink();
const server = createServer();
let app: SimApp | undefined;

server.on('upgrade', (request, socket, head) => {
  if (app === undefined) socket.destroy();
  else app.upgrade(request, socket, head);
});
server.on('request', (request, response) => {
  if (app === undefined) response.destroy();
  else void app.answer(request, response);
});

async function start(settings: SimSettings, port: number): Promise<void> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: taken } = server.address() as AddressInfo;
  const { identity, timings, ports } = settings;
  for (const [host, link] of Object.entries(ports)) routeHost(host, () => link);
  const store = new MemoryLease(identity, timings, link);
  app = new SimApp(settings, store, (level, message, facts) => {
    const line = `${identity.id} ${level} ${message} ${JSON.stringify(facts)}`;
    parent.send({ kind: 'log', line });
  });
  app.start();
  parent.send({ kind: 'started', port: taken });
}

async function call({ method, argument }: SimCall): Promise<unknown> {
  if (app === undefined) throw new Error('it has not started');
  switch (method) {
    case 'write':
      return app.write(argument);
    case 'read':
      return app.read(argument);
    case 'status':
      return app.status();
    case 'act':
      return app.act(argument);
    case 'audit':
      return app.audit();
    case 'stop':
      return app.stop();
  }
}

process.on('message', (message: ParentMessage) => {
  switch (message.kind) {
    case 'start':
      void start(message.settings, message.port);
      break;
    case 'lease-answer':
      link.answered(message.number, message.answer);
      break;
    case 'lease-view':
      link.changed(message.view);
      break;
    case 'call':
      void call(message.call).then(
        (result) => parent.send({ kind: 'result', number: message.number, result }),
        (error: unknown) =>
          parent.send({ kind: 'failure', number: message.number, message: String(error) }),
      );
  }
});
process.on('disconnect', () => process.exit(0));
