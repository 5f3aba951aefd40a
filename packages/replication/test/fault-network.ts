import { AsyncLocalStorage } from 'node:async_hooks';
import { globalAgent } from 'node:http';
import { Socket } from 'node:net';

/** Hosts of this domain are nodes of a simulation; which link leads to one depends on who calls. */
const DOMAIN = '.sim';

type PortOf = (from: string | undefined) => number;

const callers = new AsyncLocalStorage<string>();
const hosts = new Map<string, PortOf>();

/** What `run` does, now and later, it does as the node of that name. */
export function asNode<Result>(name: string, run: () => Result): Result {
  return callers.run(name, run);
}

/** The same for all methods of an object, whoever calls them. */
export function actingAs<Target extends object>(name: string, target: Target): Target {
  return new Proxy(target, {
    get: (_, key) => {
      const found: unknown = asNode(name, () => Reflect.get(target, key, target));
      if (typeof found !== 'function') return found;
      return (...parameters: unknown[]): unknown =>
        asNode(name, () => Reflect.apply(found, target, parameters));
    },
    set: (_, key, value) => Reflect.set(target, key, value, target),
  });
}

/** The same for a function that others call. */
export function asPresentNode<Parameters extends unknown[]>(
  callback: (...parameters: Parameters) => void,
): (...parameters: Parameters) => void {
  return AsyncLocalStorage.bind(callback);
}

/** Connections to `host` lead to a port of this machine. @returns what undoes it */
export function routeHost(host: string, portOf: PortOf): () => void {
  if (!host.endsWith(DOMAIN)) throw new Error(`${host} is no host of a simulation`);
  hosts.set(host, portOf);
  return () => void hosts.delete(host);
}

// A connection that was kept would serve another caller, by the link of the first one.
Object.assign(globalAgent, { keepAlive: false });

const connect: unknown = Reflect.get(Socket.prototype, 'connect');

/** The options of a call of `connect`, in either of the forms that Node.js uses. */
function optionsOf([first]: readonly unknown[]): { host?: unknown; port?: unknown } {
  return Object(Array.isArray(first) ? first[0] : first) as { host?: unknown; port?: unknown };
}

Object.assign(Socket.prototype, {
  connect(this: Socket, ...parameters: unknown[]): unknown {
    const options = optionsOf(parameters);
    const portOf = hosts.get(String(options.host));
    if (portOf !== undefined) {
      Object.assign(options, { host: '127.0.0.1', port: portOf(callers.getStore()) });
    }
    return Reflect.apply(connect as () => unknown, this, parameters);
  },
});

/** A connection of nobody's would pass by the links. */
export function mustBeKnown(from: string | undefined): string {
  if (from === undefined) throw new Error('a connection is not made by any node');
  return from;
}
