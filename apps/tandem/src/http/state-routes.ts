import type { Clock } from '@tandem/base';
import { answerError, answerJson, answerText, type Exchange } from './exchange.ts';
import { HttpApiError } from './http-error.ts';
import type { HttpCounts, ProcessFacts } from './metric-definition.ts';
import { metricsText } from './metrics.ts';
import { METRICS_TYPE } from './metrics-text.ts';
import type { NodeApi } from './node-api.ts';
import { infoJson, statusJson } from './node-json.ts';
import type { Route } from './route-table.ts';

export interface StateRouteParts {
  readonly node: NodeApi;
  readonly clock: Clock;
  readonly httpCounts: () => HttpCounts;
  readonly processFacts: () => ProcessFacts;
}

/** The paths that tell of the node and change nothing. */
export function stateRoutes({ node, clock, httpCounts, processFacts }: StateRouteParts): Route[] {
  return [
    {
      path: '/info',
      access: 'token',
      handlers: { GET: (exchange) => answerJson(exchange, infoJson(node.status())) },
    },
    {
      path: '/status',
      access: 'token',
      handlers: {
        GET: (exchange) => answerJson(exchange, statusJson(node.status(), clock.nowMs())),
      },
    },
    {
      path: '/tandem/position',
      access: 'token',
      handlers: { GET: (exchange) => answerJson(exchange, node.report()) },
    },
    {
      path: '/metrics',
      access: 'metrics',
      handlers: {
        GET: (exchange) => {
          const status = node.status();
          const source = { status, http: httpCounts(), process: processFacts() };
          answerText(exchange, metricsText(source), { 'content-type': METRICS_TYPE });
        },
      },
    },
    {
      path: '/debug/vars',
      access: 'token',
      handlers: {
        GET: (exchange) =>
          answerJson(exchange, {
            tandem: statusJson(node.status(), clock.nowMs()),
            http: httpCounts(),
            process: processFacts(),
          }),
      },
    },
    {
      path: '/livez',
      access: 'open',
      handlers: { GET: (exchange) => answerJson(exchange, { alive: true }) },
    },
    {
      path: '/readyz',
      access: 'open',
      handlers: { GET: (exchange) => answerReady(exchange, node) },
    },
  ];
}

function answerReady(exchange: Exchange, node: NodeApi): void {
  const { obstacles, role } = node.status();
  if (obstacles.length === 0) {
    answerJson(exchange, { ready: true, role });
    return;
  }
  const error = new HttpApiError('not_ready', obstacles.join(' '));
  answerError(exchange, error, { ready: false, role, reasons: obstacles });
}
