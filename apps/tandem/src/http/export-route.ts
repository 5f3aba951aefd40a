import { basename } from 'node:path/posix';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { mustHaveParameter, type Exchange } from './exchange.ts';
import { HttpApiError } from './http-error.ts';
import type { NodeApi, NodePosition } from './node-api.ts';
import { txidText } from './node-json.ts';
import type { Route } from './route-table.ts';

/** The position of an exported database, as `EPOCH.TXID` in hexadecimal. */
export const POSITION_HEADER = 'tandem-position';

export interface ExportLimits {
  readonly exportsMax: number;
  /** A client who takes nothing for so long is let go, since the copy costs room until then. */
  readonly stallTimeoutMs: number;
}

/** `GET /export`: a database as one SQLite file. */
export class ExportRoute {
  readonly #node: NodeApi;
  readonly #limits: ExportLimits;
  #runningCount = 0;

  constructor(node: NodeApi, limits: ExportLimits) {
    this.#node = node;
    this.#limits = limits;
  }

  get runningCount(): number {
    return this.#runningCount;
  }

  get route(): Route {
    return {
      path: '/export',
      access: 'token',
      handlers: {
        GET: (exchange) => this.#send(exchange),
        HEAD: (exchange) => this.#sendHead(exchange),
      },
    };
  }

  #sendHead(exchange: Exchange): void {
    const name = mustHaveParameter(exchange, 'name');
    const database = this.#node.database(name);
    if (database === undefined) throw this.#unknown(name);
    const { pageSize, pageCount, position } = database;
    exchange.response.writeHead(200, exportHeaders(name, pageSize * pageCount, position));
    exchange.response.end();
  }

  async #send(exchange: Exchange): Promise<void> {
    const { exportsMax, stallTimeoutMs } = this.#limits;
    const name = mustHaveParameter(exchange, 'name');
    if (this.#runningCount >= exportsMax) {
      throw new HttpApiError('busy', `${exportsMax} exports are running already.`);
    }
    this.#runningCount += 1;
    try {
      const copy = await this.#node.copyDatabase(name, exchange.signal);
      if (copy === undefined) throw this.#unknown(name);
      try {
        const { response, signal } = exchange;
        response.writeHead(200, exportHeaders(name, copy.sizeBytes, copy.position));
        response.setTimeout(stallTimeoutMs, () => response.destroy());
        await pipeline(Readable.from(exactly(copy.chunks, copy.sizeBytes)), response, { signal });
      } finally {
        await copy.close();
      }
    } finally {
      this.#runningCount -= 1;
    }
  }

  #unknown(name: string): HttpApiError {
    const names = this.#node.status().databases.map((database) => database.name);
    return new HttpApiError('unknown_database', `There is no database '${name}' on this node.`, {
      hint: names.length === 0 ? 'It has none yet.' : `It has: ${names.join(', ')}.`,
    });
  }
}

/**
 * The chunks, if they are as long as was announced. Each is held back until the next is there, so that
 * a copy of a wrong length, too long as well as too short, never looks like a whole file.
 */
async function* exactly(
  chunks: AsyncIterable<Uint8Array>,
  sizeBytes: number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    bytes += chunk.length;
    if (bytes > sizeBytes) break;
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (bytes !== sizeBytes) {
    throw new HttpApiError(
      'failed',
      `The copy has not the ${sizeBytes} bytes that it should have.`,
    );
  }
  if (held !== undefined) yield held;
}

function exportHeaders(
  name: string,
  sizeBytes: number,
  { epoch, txid }: NodePosition,
): Record<string, string | number> {
  const file = encodeURIComponent(basename(name));
  return {
    'content-type': 'application/vnd.sqlite3',
    'content-length': sizeBytes,
    'content-disposition': `attachment; filename*=UTF-8''${file}`,
    [POSITION_HEADER]: `${epoch.toString(16)}.${txidText(txid)}`,
  };
}
