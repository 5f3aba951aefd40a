import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from './fault-ledger.ts';
import type { SeededRandom } from './fault-random.ts';
import { NAMES, SIM_TIMINGS, type Name, type World } from './fault-world.ts';

/** Something that goes wrong, and how it is put right. */
interface Mischief {
  readonly what: string;
  readonly begin: () => Promise<void> | void;
  readonly end: () => Promise<void> | void;
  /** By default some time around the lease's. */
  readonly lastsMs?: number;
}

type MakeMischief = (world: World, random: SeededRandom) => Mischief | undefined;

const othersOf = (name: Name): Name[] => NAMES.filter((other) => other !== name);

function pairOf(random: SeededRandom): [Name, Name] {
  const first = random.pick(NAMES);
  return [first, random.pick(othersOf(first))];
}

const cutLink: MakeMischief = (world, random) => {
  const [a, b] = pairOf(random);
  return {
    what: `the link between ${a} and ${b} is cut`,
    begin: () => world.link(a, b, 'cut'),
    end: () => world.link(a, b, 'open'),
  };
};

const stallLink: MakeMischief = (world, random) => {
  const [a, b] = pairOf(random);
  const isOneWay = random.isWithin(0.5);
  return {
    what: `nothing passes from ${a} to ${b}${isOneWay ? '' : ' and back'}`,
    begin: () => (isOneWay ? world.oneWay(a, b, 'stalled') : world.link(a, b, 'stalled')),
    end: () => world.link(a, b, 'open'),
  };
};

const slowLink: MakeMischief = (world, random) => {
  const [a, b] = pairOf(random);
  const delayMs = random.between(20, 250);
  return {
    what: `everything between ${a} and ${b} takes ${delayMs} ms`,
    begin: () => world.link(a, b, 'open', delayMs),
    end: () => world.link(a, b, 'open'),
  };
};

const storm: MakeMischief = (world) => {
  let timer: NodeJS.Timeout | undefined;
  return {
    what: 'all connections are reset again and again',
    begin: () => {
      timer = setInterval(() => world.resetLinks(), 60);
    },
    end: () => clearInterval(timer),
    lastsMs: 800,
  };
};

const isolate: MakeMischief = (world, random) => {
  const name = random.pick(NAMES);
  const mode = random.pick(['cut', 'stalled'] as const);
  return {
    what: `${name} is alone (${mode})`,
    begin: () => {
      for (const other of othersOf(name)) world.link(name, other, mode);
      world.store(name, 'away');
    },
    end: () => {
      for (const other of othersOf(name)) world.link(name, other, 'open');
      world.store(name, 'open');
    },
  };
};

const loseStore: MakeMischief = (world, random) => {
  const name = random.pick(NAMES);
  const mode = random.pick(['away', 'mute'] as const);
  return {
    what: `the lease store is ${mode} for ${name}`,
    begin: () => world.store(name, mode),
    end: () => world.store(name, 'open'),
  };
};

const loseStoreForAll: MakeMischief = (world) => ({
  what: 'the lease store is away',
  begin: () => {
    for (const name of NAMES) world.store(name, 'away');
  },
  end: () => {
    for (const name of NAMES) world.store(name, 'open');
  },
});

const stopNode: MakeMischief = (world, random) => {
  const name = random.pick(NAMES);
  const node = world.node(name);
  if (!node.isUp) return undefined;
  const isKilled = node.can.kill && random.isWithin(0.7);
  return {
    what: isKilled ? `${name} is killed` : `${name} is stopped`,
    begin: () => (isKilled ? node.kill() : node.stop()),
    end: () => world.start(name),
  };
};

const pauseNode: MakeMischief = (world, random) => {
  const name = random.pick(NAMES);
  const node = world.node(name);
  if (!node.can.pause || !node.isUp) return undefined;
  const lastsMs = random.between(SIM_TIMINGS.durationMs / 2, SIM_TIMINGS.durationMs * 2);
  return {
    what: `${name} is paused for ${lastsMs} ms`,
    begin: () => node.pause(),
    end: () => node.resume(),
    lastsMs,
  };
};

const jumpClock: MakeMischief = (world, random) => {
  const name = random.pick(NAMES);
  const wallMs = random.pick([-3_600_000, -5000, 5000, 3_600_000, 86_400_000]);
  return {
    what: `the clock of ${name} jumps by ${wallMs / 1000} s`,
    begin: async () => void (await world.node(name).act({ kind: 'jump', wallMs })),
    end: () => {},
    lastsMs: 0,
  };
};

const fillDisk: MakeMischief = (world, random) => {
  const name = random.pick(NAMES);
  const node = world.node(name);
  if (!node.can.fillDisk || !node.isUp) return undefined;
  return {
    what: `the disk of ${name} is full`,
    begin: async () => void (await node.act({ kind: 'fill-disk' })),
    end: async () => void (await node.act({ kind: 'free-disk' })),
  };
};

/** What may cost a node or a part of it. */
const LOSSES: readonly MakeMischief[] = [
  cutLink,
  stallLink,
  slowLink,
  storm,
  isolate,
  isolate,
  loseStore,
  loseStoreForAll,
  stopNode,
  stopNode,
  stopNode,
  pauseNode,
  pauseNode,
  jumpClock,
  fillDisk,
];

export interface MischiefOptions {
  readonly world: World;
  readonly random: SeededRandom;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
  /** How many things may be wrong at once. */
  readonly atOnce: number;
  readonly note: (what: string) => void;
}

/** Does harm and repairs it until told to stop; what is wrong by then stays so. */
export async function doMischief(options: MischiefOptions): Promise<void> {
  const { random, signal, atOnce } = options;
  const hands = Array.from({ length: atOnce }, () => harm(options, random.fork()));
  await Promise.all([...hands, operate(options, random.fork())]);
  if (!signal.aborted) throw new Error('mischief ended by itself');
}

async function harm(options: MischiefOptions, random: SeededRandom): Promise<void> {
  const { world, signal, note } = options;
  while (!signal.aborted) {
    await pause(random.between(50, 700), signal);
    const mischief = random.pick(LOSSES)(world, random);
    const { durationMs } = SIM_TIMINGS;
    const lastsMs = mischief?.lastsMs ?? random.between(durationMs / 10, durationMs * 1.7);
    if (mischief === undefined || signal.aborted) continue;
    note(mischief.what);
    await mischief.begin();
    await pause(lastsMs, signal);
    if (signal.aborted) return;
    await mischief.end();
    if (lastsMs > 0) note(`no more: ${mischief.what}`);
  }
}

/** What operators and programs do all the time. */
async function operate(options: MischiefOptions, random: SeededRandom): Promise<void> {
  const { world, signal, note, ledger } = options;
  const tenants: string[] = [];
  let tenantCount = 0;
  while (!signal.aborted) {
    await pause(random.between(100, 900), signal);
    const name = random.pick(NAMES);
    const node = world.node(name);
    const kind = random.pick(['hand-off', 'vacuum', 'shorten-logs', 'create', 'drop'] as const);
    if (kind === 'hand-off') {
      const to = random.isWithin(0.5) ? {} : { to: random.pick(othersOf(name)) };
      note(`hand-off from ${name}: ${await node.act({ kind, ...to })}`);
    } else if (kind === 'shorten-logs') {
      await node.act({ kind });
    } else if (kind === 'vacuum') {
      await node.act({ kind, database: 'app.db' });
    } else if (kind === 'create') {
      tenantCount += 1;
      const database = `tenants/${tenantCount}.db`;
      const said = await node.act({ kind, database });
      if (said === 'done') tenants.push(database);
    } else {
      const [database] = tenants;
      if (database === undefined || tenants.length < 2) continue;
      ledger.dropped(database);
      if ((await node.act({ kind, database })) === 'done') tenants.shift();
    }
  }
}

async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  await sleep(durationMs, undefined, { signal }).catch(() => undefined);
}
