import { askNode, askNodeForJson, type ClientTarget } from './client-connection.ts';
import { ClientError } from './client-error.ts';
import { POSITION_HEADER } from './export-route.ts';
import { ExportTarget, type ExportCheck } from './export-target.ts';
import { openImportSource } from './import-source.ts';

/** A node needs longer than an answer usually takes to change the primary, and for an import. */
const CHANGE_TIMEOUT_MS = 60_000;
const IMPORT_TIMEOUT_MS = 600_000;

type Json = Readonly<Record<string, unknown>>;

export interface ExportRequest {
  /** The database's name on the node. */
  readonly name: string;
  /** The file it becomes. */
  readonly path: string;
  /** `quick` also has SQLite look at every page. */
  readonly check: ExportCheck;
  readonly signal?: AbortSignal;
}

export interface ImportRequest {
  readonly name: string;
  /** The SQLite file. */
  readonly path: string;
  readonly signal?: AbortSignal;
}

/** A node, as the command line speaks to it. All methods throw ClientError. */
export class TandemClient {
  readonly #target: ClientTarget;

  constructor(target: ClientTarget) {
    this.#target = target;
  }

  /** The answer of `GET /info`. */
  info(signal?: AbortSignal): Promise<Json> {
    return this.#json('GET', '/info', signal);
  }

  /** The answer of `GET /status`. */
  status(signal?: AbortSignal): Promise<Json> {
    return this.#json('GET', '/status', signal);
  }

  /** Makes the node primary; resolves when it is. */
  promote(signal?: AbortSignal): Promise<Json> {
    return this.#json('POST', '/promote', signal);
  }

  /** Makes another node primary: the one of that name, or the one that is most in step. */
  handOff(name?: string, signal?: AbortSignal): Promise<Json> {
    const query = name === undefined ? '' : `?name=${encodeURIComponent(name)}`;
    return this.#json('POST', `/handoff${query}`, signal);
  }

  /**
   * Downloads a database to a file. Whatever stands there now is only replaced, as a whole, by a new
   * file that is complete and has been checked.
   *
   * @returns the position of the copy as `EPOCH.TXID`, and its size
   */
  async exportTo({ name, path, check, signal }: ExportRequest): Promise<Exported> {
    const target = new ExportTarget(path);
    const answer = await askNode(this.#target, {
      method: 'GET',
      path: `/export?name=${encodeURIComponent(name)}`,
      ...(signal === undefined ? {} : { signal }),
    });
    const sizeBytes = Number(answer.headers['content-length']);
    if (!Number.isSafeInteger(sizeBytes)) {
      answer.destroy();
      throw new ClientError('node_answer', 'The answer does not say how long the database is.');
    }
    try {
      await target.receive(answer, sizeBytes);
      await target.verify(check);
      await target.commit();
    } finally {
      await target.discard();
    }
    return { position: String(answer.headers[POSITION_HEADER] ?? ''), sizeBytes };
  }

  /** Uploads a SQLite file; the node, which is primary, makes it the database of that name. */
  async importFrom({ name, path, signal }: ImportRequest): Promise<Json> {
    const source = await openImportSource(path);
    try {
      return await askNodeForJson(this.#target, {
        method: 'POST',
        path: `/import?name=${encodeURIComponent(name)}`,
        body: source,
        timeoutMsMin: IMPORT_TIMEOUT_MS,
        ...(signal === undefined ? {} : { signal }),
      });
    } finally {
      source.close();
    }
  }

  #json(method: 'GET' | 'POST', path: string, signal?: AbortSignal): Promise<Json> {
    return askNodeForJson(this.#target, {
      method,
      path,
      ...(method === 'POST' ? { timeoutMsMin: CHANGE_TIMEOUT_MS } : {}),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

export interface Exported {
  readonly position: string;
  readonly sizeBytes: number;
}
