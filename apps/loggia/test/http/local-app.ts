import { rmSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { systemClock } from '@tandem/base';
import pino from 'pino';
import { readConfiguration } from '../../src/config/read-configuration.ts';
import { buildApp } from '../../src/server/app.ts';
import { openServices } from '../../src/server/open-services.ts';
import type { Services } from '../../src/server/services.ts';
import { temporaryFolder } from '../test-server.ts';

/** The server's routes in this process, without a socket, on a folder of its own. */
export class LocalApp {
  readonly app: FastifyInstance;
  readonly services: Services;
  readonly #close: () => Promise<void>;

  private constructor(parts: {
    readonly app: FastifyInstance;
    readonly services: Services;
    readonly close: () => Promise<void>;
  }) {
    this.app = parts.app;
    this.services = parts.services;
    this.#close = parts.close;
  }

  /** Opens everything as the server does, configured by `env` alone. */
  static async open(env: Readonly<Record<string, string>> = {}): Promise<LocalApp> {
    const folder = temporaryFolder();
    const request = { flags: { data_dir: folder }, configFlag: null, env, cwd: folder };
    const { configuration, problems } = readConfiguration(request);
    const [problem] = problems;
    if (problem !== undefined) throw problem;
    const logger = pino({ level: 'silent' });
    const opened = await openServices(configuration.values, { clock: systemClock, logger });
    const app = buildApp(opened.services);
    const close = async (): Promise<void> => {
      await app.close();
      await opened.close();
      rmSync(folder, { recursive: true, force: true });
    };
    return new LocalApp({ app, services: opened.services, close });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}
