import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { notPrimary } from './change-routes.ts';
import { parseDatabaseName } from './database-name.ts';
import { answerJson, mustFit, mustHaveParameter, tooLarge, type Exchange } from './exchange.ts';
import { HttpApiError } from './http-error.ts';
import type { NodeApi, NodePosition } from './node-api.ts';
import type { Route } from './route-table.ts';

export interface ImportOptions {
  /** Where uploads gather; best on the disk of the databases. */
  readonly folder: string;
  readonly bytesMax: number;
  /** A client who sends nothing for so long is let go. */
  readonly stallTimeoutMs: number;
}

const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');
const UPLOAD_NAME = /^import-[0-9a-f]{16}\.tmp$/;
/** The smallest page that SQLite has, and so the smallest database. */
const BYTES_MIN = 512;

/** `POST /import`: a SQLite file becomes a database of the cluster. One at a time. */
export class ImportRoute {
  readonly #node: NodeApi;
  readonly #options: ImportOptions;
  #isRunning = false;

  constructor(node: NodeApi, options: ImportOptions) {
    this.#node = node;
    this.#options = options;
  }

  get runningCount(): number {
    return this.#isRunning ? 1 : 0;
  }

  get route(): Route {
    return {
      path: '/import',
      access: 'token',
      handlers: { POST: (exchange) => this.#take(exchange) },
    };
  }

  /** Removes uploads that a stopped process left. For the start, before anything is uploaded. */
  removeLeftovers(): void {
    const { folder } = this.#options;
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) {
      if (UPLOAD_NAME.test(name)) rmSync(join(folder, name), { force: true });
    }
  }

  async #take(exchange: Exchange): Promise<void> {
    const status = this.#node.status();
    if (status.role !== 'primary') throw notPrimary(status);
    const name = parseDatabaseName(mustHaveParameter(exchange, 'name'));
    mustFit(exchange.request, this.#options.bytesMax);
    if (this.#isRunning) throw new HttpApiError('busy', 'Another import is running.');
    const { epoch, txid } = await this.#import(name, exchange);
    answerJson(exchange, { name, epoch, txid });
  }

  async #import(name: string, exchange: Exchange): Promise<NodePosition> {
    const path = join(this.#options.folder, `import-${randomBytes(8).toString('hex')}.tmp`);
    this.#isRunning = true;
    try {
      await this.#receive(exchange, path);
      return await this.#node.importDatabase(name, path, exchange.signal);
    } finally {
      await rm(path, { force: true });
      this.#isRunning = false;
    }
  }

  async #receive(exchange: Exchange, path: string): Promise<void> {
    const { request, response, expectsContinue } = exchange;
    const { stallTimeoutMs } = this.#options;
    const file = await open(path, 'wx', 0o600);
    try {
      if (expectsContinue) response.writeContinue();
      request.setTimeout(stallTimeoutMs, () => request.destroy());
      await this.#store(exchange, file);
    } finally {
      request.setTimeout(0);
      await file.close();
    }
  }

  async #store({ request, signal }: Exchange, file: FileHandle): Promise<void> {
    const { bytesMax } = this.#options;
    let bytes = 0;
    // Not destroyed when the loop is left early, so that the refusal can still be answered.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      signal.throwIfAborted();
      const part = chunk as Buffer;
      if (bytes < MAGIC.length) mustBegin(part, bytes);
      bytes += part.length;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      await file.writeFile(part);
    }
    if (bytes < BYTES_MIN) throw notDatabase(`it has ${bytes} bytes`);
  }
}

/** Refuses at the first bytes what is no database, however much of it would come. */
function mustBegin(part: Buffer, offset: number): void {
  const expected = MAGIC.subarray(offset, offset + part.length);
  if (!part.subarray(0, expected.length).equals(expected)) {
    throw notDatabase("it does not begin with 'SQLite format 3'");
  }
}

function notDatabase(why: string): HttpApiError {
  return new HttpApiError('not_a_database', `What was sent is not a SQLite database: ${why}.`, {
    hint: 'Send the database file itself; dumps and encrypted databases are not taken.',
  });
}
