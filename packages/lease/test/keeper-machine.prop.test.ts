import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LeaseSimulation, TIMINGS, type Fault, type SimulationPlan } from './lease-simulation.ts';

const RUNS = Number(process.env['FC_RUNS'] ?? 600);
const FAULTY_MS = 180_000;
/** Two leases, a forgotten promise, and attempts with answers that come late. */
const QUIET_MS = 90_000;

/** Clocks may differ in rate by as much as the margin covers: 15 s to 12.5 s. */
const rate = fc.double({ min: 0.93, max: 1.07, noNaN: true });

const place = { node: fc.nat(2), atMs: fc.integer({ min: 0, max: FAULTY_MS }) };
/** A store that is away for longer than a lease lasts is what the fail-safe rule is for. */
const outage = fc.record({
  kind: fc.constant('no-store' as const),
  ...place,
  forMs: fc.integer({ min: 15_000, max: 100_000 }),
});
const fault: fc.Arbitrary<Fault> = fc.oneof(
  outage,
  fc.record({
    kind: fc.constantFrom('pause', 'no-store', 'no-peers', 'restart'),
    ...place,
    forMs: fc.integer({ min: 10, max: 40_000 }),
  }),
);

const plan: fc.Arbitrary<SimulationPlan> = fc.record({
  mode: fc.constantFrom('ttl', 'observed'),
  isFailsafe: fc.boolean(),
  rates: fc.array(rate, { minLength: 3, maxLength: 3 }),
  faults: fc.array(fault, { maxLength: 20 }),
  chances: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), {
    minLength: 7,
    maxLength: 40,
  }),
});

const CALM = { mode: 'ttl', rates: [1, 1, 1], chances: [0.1] } as const;

describe('several keepers over one store', () => {
  it('L1: never two valid terms at one instant, whatever fails', () => {
    fc.assert(
      fc.property(plan, (given) => {
        const simulation = new LeaseSimulation(given);
        simulation.run(FAULTY_MS + QUIET_MS);
        expect(simulation.violations).toEqual([]);
        expect(simulation.epochs).toEqual([...new Set(simulation.epochs)].sort((x, y) => x - y));
      }),
      { numRuns: RUNS },
    );
  });

  it('a cluster whose faults are over has a primary again', () => {
    fc.assert(
      fc.property(plan, (given) => {
        // Answers that always take long could make a renewal fail at any moment.
        const simulation = new LeaseSimulation({ ...given, chances: [0.1, 0.3, 0.2] });
        const worst = Math.max(0, ...given.faults.map(({ atMs, forMs }) => atMs + forMs));
        simulation.run(worst + QUIET_MS);
        expect(simulation.primaries().length).toBe(1);
      }),
      { numRuns: 100 },
    );
  });

  it('while the store is away the primary stays as long as all peers answer', () => {
    const faults = [0, 1, 2].map((node) => ({
      kind: 'no-store' as const,
      node,
      atMs: 20_000,
      forMs: 120_000,
    }));
    const stays = new LeaseSimulation({ ...CALM, isFailsafe: true, faults });
    const stops = new LeaseSimulation({ ...CALM, isFailsafe: false, faults });
    for (const simulation of [stays, stops]) simulation.run(19_000);
    const [primary] = stays.primaries();
    for (let atMs = 20_000; atMs < 140_000; atMs += 1000) {
      stays.run(atMs);
      expect(stays.primaries()).toEqual([primary]);
    }
    stops.run(20_000 + TIMINGS.durationMs);
    expect(stops.primaries()).toEqual([]);
  });

  it('one peer that does not answer ends the term, since it may have another store in sight', () => {
    const cut = { kind: 'no-store' as const, atMs: 20_000, forMs: 120_000 };
    const faults: Fault[] = [0, 1, 2].map((node) => ({ ...cut, node }));
    faults.push(...[0, 1, 2].map((node) => ({ ...cut, kind: 'no-peers' as const, node })));
    const simulation = new LeaseSimulation({ ...CALM, isFailsafe: true, faults });
    simulation.run(20_000 + TIMINGS.durationMs);
    expect(simulation.primaries()).toEqual([]);
  });
});
