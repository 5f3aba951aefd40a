import S3rver from '@20minutes/s3rver';
import { type ObjectStore, type StoreOptions, openStore } from '@tandem/storage';
import { TemporaryFolder } from './temporary-folder.ts';

const BUCKET = 'backup';

/** s3rver on a port of its own: checks signatures, ignores conditions, breaks listings after a page. */
export class S3rverServer {
  readonly #server: S3rver;
  readonly #folder: TemporaryFolder;
  readonly #port: number;
  #stores = 0;

  private constructor(server: S3rver, folder: TemporaryFolder, port: number) {
    this.#server = server;
    this.#folder = folder;
    this.#port = port;
  }

  static async start(): Promise<S3rverServer> {
    const folder = new TemporaryFolder();
    const server = new S3rver({
      address: '127.0.0.1',
      port: 0,
      directory: folder.path,
      silent: true,
      configureBuckets: [{ name: BUCKET }],
    });
    const { port } = await server.run();
    return new S3rverServer(server, folder, port);
  }

  /** A store under a prefix of its own, so that it is empty. */
  newStore(options: StoreOptions = {}): ObjectStore {
    this.#stores += 1;
    return this.store(`${BUCKET}/store-${this.#stores}`, options);
  }

  store(bucketPath: string, options: StoreOptions = {}): ObjectStore {
    return openStore(`s3://${bucketPath}?endpoint=http://127.0.0.1:${this.#port}`, {
      credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
      partBytes: 5 * 1024 * 1024,
      ...options,
    });
  }

  async stop(): Promise<void> {
    await this.#server.close();
    this.#folder[Symbol.dispose]();
  }
}
