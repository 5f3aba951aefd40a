import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseLeaseTimings, type NodeIdentity } from '@tandem/lease';
import type { AcknowledgementMode } from '../src/index.ts';
import type {
  ReadRequest,
  ReadResult,
  SimAction,
  SimAudit,
  SimSettings,
  SimStatus,
  WriteRequest,
  WriteResult,
} from './fault-app.ts';
import { mustBeKnown, routeHost } from './fault-network.ts';
import { FaultProxy, type LinkMode } from './fault-proxy.ts';
import { MemoryLeases } from './memory-lease.ts';

/** A node as the simulation handles it, in this process or in one of its own. */
export interface SimNode {
  /** What of it can be done to this kind of node. */
  readonly can: { readonly kill: boolean; readonly pause: boolean; readonly fillDisk: boolean };
  /** The port of its HTTP server; the same after each start. */
  readonly port: number;
  readonly isUp: boolean;
  start(settings: SimSettings, leases: MemoryLeases): Promise<void>;
  /** In order. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  write(request: WriteRequest): Promise<WriteResult>;
  read(request: ReadRequest): Promise<ReadResult | undefined>;
  status(): Promise<SimStatus | undefined>;
  act(action: SimAction): Promise<string>;
  audit(): Promise<SimAudit>;
  /** The last lines of its log. */
  readonly logged: readonly string[];
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly makeNode: () => Promise<SimNode>;
  readonly acknowledge: AcknowledgementMode;
  readonly isFailsafe: boolean;
}

export const NAMES = ['a', 'b', 'c'] as const;
export type Name = (typeof NAMES)[number];

export const SIM_TIMINGS = parseLeaseTimings({
  durationMs: 3000,
  renewDeadlineMs: 2300,
  retryMs: 300,
  marginMs: 500,
});

/** Three nodes, the links between them, and their lease store. */
export class World {
  readonly leases = new MemoryLeases(SIM_TIMINGS);
  readonly nodes = new Map<Name, SimNode>();
  readonly #links = new Map<string, FaultProxy>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'faults-'));
  readonly #options: WorldOptions;
  readonly #unroute: (() => void)[] = [];
  #starts = 0;

  private constructor(options: WorldOptions) {
    this.#options = options;
  }

  static async make(options: WorldOptions): Promise<World> {
    const world = new World(options);
    for (const name of NAMES) world.nodes.set(name, await options.makeNode());
    for (const from of NAMES) {
      for (const to of NAMES) {
        if (from === to) continue;
        const proxy = await FaultProxy.before(() => world.node(to).port);
        world.#links.set(`${from} ${to}`, proxy);
      }
    }
    for (const to of NAMES) {
      const portOf = (from: string | undefined): number =>
        world.#link(mustBeKnown(from), to)?.port ?? world.node(to).port;
      world.#unroute.push(routeHost(world.#hostOf(to), portOf));
    }
    return world;
  }

  node(name: Name): SimNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`there is no ${name}`);
    return node;
  }

  /** Starts a node unless it is up: what was stopped twice at once is started again twice. */
  async start(name: Name): Promise<void> {
    if (this.node(name).isUp) return;
    const { acknowledge, isFailsafe } = this.#options;
    this.#starts += 1;
    const identity: NodeIdentity = {
      id: `${name}-${this.#starts}`,
      name,
      advertiseUrl: `http://${this.#hostOf(name)}`,
    };
    const settings: SimSettings = {
      folder: join(this.#folder, name),
      identity,
      ports: Object.fromEntries(
        NAMES.map((to) => [this.#hostOf(to), this.#link(name, to)?.port ?? 0]),
      ),
      timings: SIM_TIMINGS,
      acknowledge: { mode: acknowledge, timeoutMs: 2000, onTimeout: 'block' },
      isFailsafe,
    };
    await this.node(name).start(settings, this.leases);
  }

  /** The links between two nodes, in both directions. */
  link(a: Name, b: Name, mode: LinkMode, delayMs = 0): void {
    this.#link(a, b)?.set(mode, delayMs);
    this.#link(b, a)?.set(mode, delayMs);
  }

  /** What `from` sends to `to`, and what it gets back over connections of its own making. */
  oneWay(from: Name, to: Name, mode: LinkMode, delayMs = 0): void {
    this.#link(from, to)?.set(mode, delayMs);
  }

  resetLinks(): void {
    for (const proxy of this.#links.values()) proxy.reset();
  }

  /** Whether a node reaches the lease store. */
  store(name: Name, mode: 'open' | 'away' | 'mute'): void {
    this.leases.unreachable.delete(name);
    this.leases.mute.delete(name);
    if (mode === 'away') this.leases.unreachable.add(name);
    if (mode === 'mute') this.leases.mute.add(name);
    if (mode === 'open') this.leases.changed();
  }

  /** All links and the store work again. */
  heal(): void {
    for (const proxy of this.#links.values()) proxy.set('open');
    for (const name of NAMES) this.store(name, 'open');
  }

  async close(): Promise<void> {
    this.heal();
    for (const node of this.nodes.values()) await node.close();
    for (const proxy of this.#links.values()) await proxy.close();
    for (const unroute of this.#unroute) unroute();
    this.leases.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The name of the folder is no other world's. */
  #hostOf(name: Name): string {
    return `${name}.${basename(this.#folder).toLowerCase()}.sim`;
  }

  #link(from: string, to: string): FaultProxy | undefined {
    return this.#links.get(`${from} ${to}`);
  }
}
