import { TestServer } from '../test-server.ts';
import { loggia } from './command-line.ts';
import { ADA, BERT } from './personas.ts';
import { PublicWeb, STATS_HOST } from './public-web.ts';
import { ServerClock } from './server-clock.ts';
import { Visitor, type Persona } from './visitor.ts';

/** Half past ten on a Monday in Berlin. */
const START_MS = Date.UTC(2026, 5, 1, 8, 30);
/** After this the server has noticed what another process changed. */
const REFRESH_MS = 1000;

/** The rows of a report, each with its dimensions first. */
type Rows = unknown[][];

/** The real server, the web in front of it, and one clock for both and for the visitors. */
export class Stage {
  readonly clock: ServerClock;
  readonly server: TestServer;
  readonly web: PublicWeb;
  readonly #key: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(parts: {
    readonly clock: ServerClock;
    readonly server: TestServer;
    readonly web: PublicWeb;
    readonly key: string;
    readonly env: Readonly<Record<string, string>>;
  }) {
    this.clock = parts.clock;
    this.server = parts.server;
    this.web = parts.web;
    this.#key = parts.key;
    this.#env = parts.env;
  }

  static async open(): Promise<Stage> {
    const clock = new ServerClock(START_MS);
    const env = { ...clock.env, LOGGIA_BASE_URL: `http://${STATS_HOST}` };
    const server = await TestServer.start({ env });
    const web = await PublicWeb.open(server.url);
    for (const { userAgent, address } of [ADA, BERT]) {
      if (address !== undefined) web.addresses.set(userAgent, address);
    }
    const key = server.addKey('stats:read');
    return new Stage({ clock, server, web, key, env });
  }

  /** Runs a command of the command line beside the server, which notices its changes. */
  async command(line: string): Promise<Readonly<Record<string, unknown>>> {
    const { dataDir } = this.server;
    const outcome = await loggia(line.split(' '), { dataDir, env: this.#env });
    this.clock.pass(REFRESH_MS);
    return outcome;
  }

  /** Adds a site of Berlin with the command line, and returns the snippet that this printed. */
  async addSite(domain: string, ...flags: string[]): Promise<string> {
    const line = ['site', 'add', domain, '--timezone', 'Europe/Berlin', ...flags].join(' ');
    return String((await this.command(line))['snippet']);
  }

  arrive(persona: Persona): Promise<Visitor> {
    return Visitor.arrive(persona, this.web.port, this.clock);
  }

  /** Today's numbers, ordered by their first dimension. */
  async report(
    site: string,
    metrics: readonly string[],
    { dimensions = [], filters = [] }: { dimensions?: string[]; filters?: unknown[] } = {},
  ): Promise<Rows> {
    const results = await this.server.query(this.#key, {
      site_id: site,
      metrics,
      date_range: 'day',
      dimensions,
      filters,
      ...(dimensions.length === 0 ? {} : { order_by: [[dimensions[0], 'asc']] }),
    });
    return results.map((row) => [...row.dimensions, ...row.metrics]);
  }

  /** How many visitors there were in the last five minutes. */
  async currentVisitors(site: string): Promise<unknown> {
    const path = `/api/v1/stats/realtime/visitors?site_id=${site}`;
    return (await this.server.ask('GET', path, { key: this.#key })).json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.web[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    this.clock[Symbol.dispose]();
  }
}
