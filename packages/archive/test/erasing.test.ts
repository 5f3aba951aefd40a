import { expect, test } from 'vitest';
import type { Site } from '@loggia/contract';
import { answerQuery, chosenVisitsStatement, parseQuery, type Filter } from '@loggia/reports';
import { ZoneRules } from '@tandem/base';
import { DAY_MS, HOUR_MS, allRows, openLab, sealAll, storeVisit, type Lab } from './lab.ts';

const START_MS = Date.parse('2026-03-02T00:00:00Z');
const RANGE = {
  date_range: ['2026-03-01', '2026-03-14'],
  metrics: ['visitors', 'visits', 'pageviews'],
};

/** The rows of a report, from sums where they will do or from visits and events alone. */
async function rows(lab: Lab, site: Site, body: object, counted: boolean): Promise<unknown> {
  const query = parseQuery({ site_id: site.domain, ...RANGE, ...body });
  const context = { site, nowMs: START_MS + 40 * DAY_MS, firstEventMs: undefined, goals: [] };
  const answer = await answerQuery(query, context, ({ sql, parameters, rolledUp }) =>
    lab.store.query({ sql, parameters, ...(!counted && rolledUp !== undefined && { rolledUp }) }),
  );
  return answer.results.map(({ dimensions, metrics }) => [...dimensions, ...metrics]);
}

async function expectSumsToBeTrue(lab: Lab, site: Site): Promise<void> {
  for (const dimension of ['event:page', 'visit:country', 'visit:entry_page', 'time:day']) {
    const body = { dimensions: [dimension] };
    expect(await rows(lab, site, body, false)).toEqual(await rows(lab, site, body, true));
  }
}

/** Two sites over ten days, in parts and merged ones; visitors come twice a day. */
async function fill(lab: Lab): Promise<readonly [Site, Site]> {
  const sites = [lab.addSite(), lab.addSite('Asia/Tokyo')] as const;
  for (let day = 0; day < 6; day += 1) {
    for (const site of sites) {
      for (let visitor = 1; visitor <= 4; visitor += 1) {
        for (const hour of [visitor, visitor + 9]) {
          storeVisit(
            lab.journal,
            {
              site_id: site.id,
              visitor: BigInt(day * 100 + site.id * 10 + visitor),
              start_ms: START_MS + day * DAY_MS + hour * HOUR_MS,
              country: visitor % 2 === 0 ? 'DE' : 'FR',
            },
            ['/', `/page-${hour % 3}`],
          );
        }
      }
    }
    await sealAll(lab.sealer({ visitsMax: 5 }), START_MS + (day + 1) * DAY_MS + 5 * HOUR_MS);
  }
  await lab.merger().mergeNext(START_MS + 6 * DAY_MS);
  return sites;
}

function choice(
  site: Site,
  filters: readonly Filter[],
  days: readonly [number, number] = [-2, 20],
) {
  const [fromMs, toMs] = days.map((day) => START_MS + day * DAY_MS);
  const zone = ZoneRules.of(site.timezone);
  const range = { fromMs: fromMs ?? 0, toMs: toMs ?? 0, zone, dates: undefined };
  return chosenVisitsStatement({ siteId: site.id, range, filters, goals: [] });
}

const ON_PAGE_1: Filter = {
  kind: 'leaf',
  operator: 'is',
  dimension: 'event:page',
  clauses: ['/page-1'],
  caseSensitive: true,
};

test('visits of a page are erased, and the sums are those of what is left (A2, A4)', async () => {
  const lab = await openLab();
  const [site, other] = await fill(lab);
  await expectSumsToBeTrue(lab, site);
  const before = await rows(lab, other, { dimensions: ['event:page'] }, true);
  const chosen = choice(site, [ON_PAGE_1]);
  const erased = await lab.eraser().erase({ siteId: site.id, chosen, sums: 'subtract' });
  expect(erased).toBeGreaterThan(10);
  expect(JSON.stringify(await rows(lab, site, { dimensions: ['event:page'] }, true))).not.toContain(
    '/page-1',
  );
  await expectSumsToBeTrue(lab, site);
  await expectSumsToBeTrue(lab, other);
  expect(await rows(lab, other, { dimensions: ['event:page'] }, true)).toEqual(before);
  expect(await lab.eraser().erase({ siteId: site.id, chosen, sums: 'subtract' })).toBe(0);
});

test('a range is erased from the tail too', async () => {
  const lab = await openLab();
  const [site] = await fill(lab);
  storeVisit(lab.journal, { site_id: site.id, visitor: 1n, start_ms: START_MS + 10 * DAY_MS });
  storeVisit(lab.journal, { site_id: site.id, visitor: 2n, start_ms: START_MS + 11 * DAY_MS });
  const chosen = choice(site, [], [3, 11]);
  await lab.eraser().erase({ siteId: site.id, chosen, sums: 'subtract' });
  const days = await rows(lab, site, { dimensions: ['time:day'] }, true);
  expect(days).toHaveLength(4);
  await expectSumsToBeTrue(lab, site);
});

test('a site is erased with its sums, and sets that held nothing else are gone', async () => {
  const lab = await openLab();
  const [site, other] = await fill(lab);
  const before = await rows(lab, other, { dimensions: ['event:page'] }, false);
  await lab.eraser().erase({ siteId: site.id, chosen: choice(site, []), sums: 'drop' });
  expect(await rows(lab, site, {}, false)).toEqual([[0, 0, 0]]);
  expect(await rows(lab, other, { dimensions: ['event:page'] }, false)).toEqual(before);
  await lab.eraser().erase({ siteId: other.id, chosen: choice(other, []), sums: 'drop' });
  expect(lab.journal.archive.sets()).toEqual([]);
  expect(await allRows(lab.store)).toEqual([null, null]);
});

test('sums that are kept outlive their visits, also when they are merged', async () => {
  const lab = await openLab();
  const [site] = await fill(lab);
  const before = await rows(lab, site, { dimensions: ['event:page'] }, false);
  await lab.eraser().erase({ siteId: site.id, chosen: choice(site, []), sums: 'keep' });
  expect(await rows(lab, site, { dimensions: ['event:page'] }, true)).toEqual([]);
  expect(await rows(lab, site, { dimensions: ['event:page'] }, false)).toEqual(before);
  while ((await lab.merger().mergeNext(START_MS + 90 * DAY_MS)) !== undefined);
  expect(await rows(lab, site, { dimensions: ['event:page'] }, false)).toEqual(before);
});
