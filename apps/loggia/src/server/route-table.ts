import { assert } from '@tandem/base';
import type { Access } from './access.ts';

/** One route as it was declared. */
export interface RouteEntry {
  readonly method: string;
  /** With parameters, such as `/js/:name`. */
  readonly url: string;
  readonly access: Access;
}

/** Every route with who may use it, in the order of their declaration. */
export class RouteTable {
  readonly #entries: RouteEntry[] = [];

  /** Takes a route in. One that does not declare who may use it is a programmer's error. */
  add(route: {
    readonly method: string | readonly string[];
    readonly url: string;
    readonly access: Access | undefined;
  }): void {
    const { url, access } = route;
    assert(access !== undefined, `the route ${url} declares its access`);
    const methods = typeof route.method === 'string' ? [route.method] : route.method;
    for (const method of methods) this.#entries.push({ method, url, access });
  }

  list(): readonly RouteEntry[] {
    return this.#entries;
  }

  /** The methods with which `path` can be asked for, by name; empty when nothing is at it. */
  methodsAt(path: string): readonly string[] {
    const segments = path.split('/');
    const methods = new Set<string>();
    for (const { method, url } of this.#entries) {
      if (matches(url.split('/'), segments)) methods.add(method);
    }
    return Array.from(methods).sort();
  }
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, index) => {
    const segment = segments[index] ?? '';
    return part.startsWith(':') ? segment !== '' : part === segment;
  });
}
