import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { Journal } from '@loggia/journal';
import { FIREFOX, TestServer, temporaryFolder } from './test-server.ts';

/** Rounds of the suite; the soak sets more. */
const ROUNDS = Number(process.env['LOGGIA_KILL_ROUNDS'] ?? 20);
const SEED = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);
const SENDERS = 24;
const ROUND_TIMEOUT_MS = 60_000;

const dataDir = temporaryFolder();
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

/** What the senders know: an event that was answered 202 must be there, once. */
interface Ledger {
  readonly acknowledged: Set<string>;
  readonly sent: Set<string>;
}

/** Sends events one after the other until the server is gone. */
async function sendUntilDead(server: TestServer, prefix: string, ledger: Ledger): Promise<void> {
  for (let number = 0; ; number += 1) {
    const page = `${prefix}/${number}`;
    ledger.sent.add(page);
    try {
      const response = await fetch(`${server.url}/api/event`, {
        method: 'POST',
        headers: { 'user-agent': FIREFOX, 'x-forwarded-for': `192.0.2.${number % 200}` },
        body: JSON.stringify({
          n: 'pageview',
          u: `https://kill.example${page}`,
          d: 'kill.example',
        }),
      });
      if (response.status === 202) ledger.acknowledged.add(page);
      else if (response.status !== 429) throw new Error(`answered ${response.status}`);
    } catch (error) {
      if (error instanceof TypeError) return;
      throw error;
    }
  }
}

/** How often each page is stored, read from the journal by the schema's own reader. */
function storedPages(): Map<string, number> {
  using journal = Journal.open({ folder: dataDir });
  const pages = new Map<string, number>();
  for (let afterId = 0; ;) {
    const rows = journal.tail.readEvents(afterId, 10_000);
    if (rows.length === 0) return pages;
    for (const row of rows) {
      afterId = Number(row[0]);
      const page = String(row[7]);
      pages.set(page, (pages.get(page) ?? 0) + 1);
    }
  }
}

async function start(): Promise<TestServer> {
  return await TestServer.start({ dataDir, env: { LOGGIA_RATE_LIMITS: 'off' } });
}

it(
  `after SIGKILL under load every event answered 202 is there, none twice (${ROUNDS} rounds, seed ${SEED})`,
  async () => {
    const ledger: Ledger = { acknowledged: new Set(), sent: new Set() };
    const delays = fc.sample(fc.integer({ min: 0, max: 700 }), { seed: SEED, numRuns: ROUNDS });
    let key: string | undefined;
    for (const [round, delayMs] of delays.entries()) {
      const server = await start();
      if (key === undefined) {
        server.addSite('kill.example');
        key = server.addKey('stats:read');
      }
      const senders = Array.from({ length: SENDERS }, (_, sender) =>
        sendUntilDead(server, `/r${round}/s${sender}`, ledger),
      );
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await server.stop('SIGKILL');
      await Promise.all(senders);
    }
    const server = await start();
    const [row] = await server.query(key ?? '', {
      site_id: 'kill.example',
      metrics: ['pageviews'],
      date_range: 'all',
    });
    expect((await server.stop()).code).toBe(0);
    const stored = storedPages();
    const lost = [...ledger.acknowledged].filter((page) => !stored.has(page));
    const twice = [...stored].filter(([, count]) => count > 1);
    const unknown = [...stored.keys()].filter((page) => !ledger.sent.has(page));
    console.log(
      `${ROUNDS} kills: ${ledger.acknowledged.size} acknowledged of ${ledger.sent.size} sent, ` +
        `${stored.size} stored, ${lost.length} lost, ${twice.length} twice`,
    );
    expect({ lost, twice, unknown }).toEqual({ lost: [], twice: [], unknown: [] });
    expect(row?.metrics).toEqual([stored.size]);
    expect(ledger.acknowledged.size).toBeGreaterThan(ROUNDS);
  },
  ROUNDS * ROUND_TIMEOUT_MS,
);
