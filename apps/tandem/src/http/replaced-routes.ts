import { HttpApiError } from './http-error.ts';
import type { Method, Route } from './route-table.ts';

interface Replacement {
  readonly path: string;
  readonly methods: readonly Method[];
  readonly hint: string;
}

const WRITE_LOCK =
  "Run 'tandem run --with-write-lock -- COMMAND' on any node: it moves the primary there, runs the " +
  'command, and with --return moves it back.';

/** What LiteFS has and Tandem has otherwise. */
const REPLACEMENTS: readonly Replacement[] = [
  { path: '/halt', methods: ['POST', 'DELETE'], hint: WRITE_LOCK },
  {
    path: '/tx',
    methods: ['POST'],
    hint: `Send writes through the proxy of any node. For a migration or a job: ${WRITE_LOCK}`,
  },
  {
    path: '/stream',
    methods: ['POST'],
    hint: 'Nodes of LiteFS and Tandem do not replicate to each other; move all of a cluster at once.',
  },
  {
    path: '/debug/pprof/',
    methods: ['GET'],
    hint: "Start the daemon with NODE_OPTIONS='--cpu-prof' for a profile; /debug/vars has numbers.",
  },
];

/** Paths of LiteFS that answer with what to use instead. */
export function replacedRoutes(): Route[] {
  return REPLACEMENTS.map(({ path, methods, hint }) => {
    const refuse = (): never => {
      throw new HttpApiError('replaced', `LiteFS has ${path}; Tandem has something else for it.`, {
        hint,
      });
    };
    return {
      path,
      access: 'token',
      handlers: Object.fromEntries(methods.map((method) => [method, refuse])),
    };
  });
}
