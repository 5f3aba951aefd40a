import { answerJson, parameter, readJson, type Exchange } from './exchange.ts';
import { HttpApiError } from './http-error.ts';
import type { FailsafeQuestion, NodeApi, NodeStatus } from './node-api.ts';
import { litefsIdOf } from './node-json.ts';
import type { Route } from './route-table.ts';
import { withinSignal } from './within-signal.ts';

export interface ChangeLimits {
  /** For small JSON bodies. */
  readonly bodyBytesMax: number;
  readonly bodyTimeoutMs: number;
  /** For a promotion or a hand-off. */
  readonly operationTimeoutMs: number;
}

const FAILSAFE_MS_MAX = 600_000;

/** The paths that change who is primary. */
export function changeRoutes(node: NodeApi, limits: ChangeLimits): Route[] {
  return [
    {
      path: '/promote',
      access: 'token',
      handlers: { POST: (exchange) => promote(exchange, node, limits) },
    },
    {
      path: '/handoff',
      access: 'token',
      handlers: { POST: (exchange) => handOff(exchange, node, limits) },
    },
    {
      path: '/tandem/failsafe',
      access: 'token',
      handlers: {
        POST: async (exchange) => {
          const { bodyBytesMax: bytesMax, bodyTimeoutMs: timeoutMs } = limits;
          const question = parseQuestion(await readJson(exchange, { bytesMax, timeoutMs }));
          answerJson(exchange, { acknowledged: await node.acknowledgeFailsafe(question) });
        },
      },
    },
  ];
}

/** LiteFS answers before the switch is done; here the answer says that it is. */
async function promote(exchange: Exchange, node: NodeApi, limits: ChangeLimits): Promise<void> {
  const before = node.status();
  if (before.role !== 'primary') {
    mustBePromotable(before);
    await withinTime(exchange, limits, (signal) => node.promote(signal));
  }
  const { role, epoch, identity } = node.status();
  answerJson(exchange, {
    isPrimary: role === 'primary',
    wasPrimary: before.role === 'primary',
    epoch,
    node: identity.name,
  });
}

function mustBePromotable({ leaseKind, isCandidate, primary, identity }: NodeStatus): void {
  if (leaseKind === 'static') {
    throw new HttpApiError(
      'static_lease',
      `The lease is static, so ${identity.name} cannot become primary by a request.`,
      { hint: 'Name the other primary in the configuration of all nodes and restart them.' },
    );
  }
  if (!isCandidate) {
    throw new HttpApiError('not_candidate', `${identity.name} is not a candidate.`, {
      hint: "Set 'lease.candidate: true' for this node, or promote another one.",
    });
  }
  if (primary === undefined) {
    throw new HttpApiError('no_primary', 'No primary is known that could hand off.', {
      hint: 'A candidate takes the lease by itself as soon as it is free; see /readyz.',
    });
  }
}

async function handOff(exchange: Exchange, node: NodeApi, limits: ChangeLimits): Promise<void> {
  const status = node.status();
  if (status.role !== 'primary') throw notPrimary(status);
  if (status.leaseKind === 'static') {
    throw new HttpApiError('static_lease', 'The lease is static, so it cannot be handed off.', {
      hint: 'Name the other primary in the configuration of all nodes and restart them.',
    });
  }
  const target = targetOf(exchange, status);
  await withinTime(exchange, limits, (signal) => node.handOff(target, signal));
  const { role, primary } = node.status();
  answerJson(exchange, { isPrimary: role === 'primary', primary: primary?.name ?? target ?? null });
}

/** The error for what only the primary does, with where the primary is. */
export function notPrimary({ identity, primary }: NodeStatus): HttpApiError {
  return new HttpApiError('not_primary', `${identity.name} is not primary.`, {
    hint:
      primary === undefined || primary.name === identity.name
        ? 'No primary is known at the moment; see /readyz of the nodes.'
        : `Ask ${primary.name} at ${primary.advertiseUrl}.`,
  });
}

/** The name of the wanted node; undefined when any will do. */
function targetOf(exchange: Exchange, { replicas, identity }: NodeStatus): string | undefined {
  const name = parameter(exchange, 'name');
  const id = parameter(exchange, 'nodeID');
  if (name !== undefined && id !== undefined) {
    throw new HttpApiError('bad_request', "Give 'name' or 'nodeID', not both.");
  }
  if (name === undefined && id === undefined) return undefined;
  if (name === identity.name || id === identity.id || id?.toUpperCase() === litefsIdOf(identity)) {
    throw new HttpApiError('bad_request', `${identity.name} is primary already.`);
  }
  const nodes = replicas.map(({ node }) => node);
  const found = nodes.find(
    (each) => each.name === name || each.id === id || litefsIdOf(each) === id?.toUpperCase(),
  );
  if (found !== undefined) return found.name;
  const names = nodes.map((each) => each.name).join(', ') || 'none';
  throw new HttpApiError('unknown_node', `${name ?? id} is not connected to this primary.`, {
    hint: `Connected are: ${names}.`,
  });
}

function parseQuestion(value: unknown): FailsafeQuestion {
  const { epoch, durationMs } = Object(value) as Partial<Record<string, unknown>>;
  if (!isWholeNumber(epoch) || !isWholeNumber(durationMs) || durationMs > FAILSAFE_MS_MAX) {
    throw new HttpApiError('bad_request', 'The body is not {epoch, durationMs} of whole numbers.', {
      hint: `durationMs is at most ${FAILSAFE_MS_MAX}.`,
    });
  }
  return { epoch, durationMs };
}

function isWholeNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

async function withinTime(
  { signal }: Exchange,
  { operationTimeoutMs }: ChangeLimits,
  operate: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(operationTimeoutMs)]);
  await withinSignal(operate(limit), limit);
}
