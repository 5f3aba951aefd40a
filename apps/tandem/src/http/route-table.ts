import type { Exchange } from './exchange.ts';
import { HttpApiError } from './http-error.ts';

/** Answers a request, or throws what is then answered as an error. */
export type RouteHandler = (exchange: Exchange) => void | Promise<void>;

/** A path with what can be done there. */
export interface Route {
  readonly path: string;
  /** `open`: for everyone. `metrics`: for everyone if the configuration says so. */
  readonly access: 'open' | 'metrics' | 'token';
  /** By method; GET answers HEAD too, unless there is an own handler for it. */
  readonly handlers: Readonly<Partial<Record<Method, RouteHandler>>>;
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'DELETE';

/** What a request is for. */
export interface RouteMatch {
  readonly route: Route;
  readonly handler: RouteHandler;
}

/** All paths of the interface. */
export class RouteTable {
  readonly #routes: ReadonlyMap<string, Route>;

  constructor(routes: readonly Route[]) {
    this.#routes = new Map(routes.map((route) => [route.path, route]));
  }

  /** @throws HttpApiError `not_found`, `bad_method`. */
  match(method: string, path: string): RouteMatch {
    const route = this.#routes.get(path);
    if (route === undefined) {
      throw new HttpApiError('not_found', `There is nothing at ${shown(path)}.`, {
        hint: `The paths are ${[...this.#routes.keys()].join(', ')}.`,
      });
    }
    const { handlers } = route;
    const asked = method === 'HEAD' && handlers.HEAD === undefined ? 'GET' : method;
    const handler = isMethod(asked) ? handlers[asked] : undefined;
    if (handler !== undefined) return { route, handler };
    const allowed = allowedMethods(route);
    throw new HttpApiError('bad_method', `${path} does not take ${shown(method)}.`, {
      hint: `It takes ${allowed.join(', ')}.`,
      headers: { allow: allowed.join(', ') },
    });
  }
}

/** The methods of a route, HEAD included where GET answers it. */
export function allowedMethods({ handlers }: Route): readonly string[] {
  const methods = Object.keys(handlers);
  const hasHead = handlers.GET !== undefined && handlers.HEAD === undefined;
  return hasHead ? [...methods, 'HEAD'] : methods;
}

function isMethod(text: string): text is Method {
  return ['GET', 'HEAD', 'POST', 'DELETE'].includes(text);
}

function shown(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
