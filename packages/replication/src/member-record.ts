import type { NodeIdentity } from '@tandem/lease';
import type { Complaints } from './complaints.ts';
import type { StreamClock } from './stream-source.ts';

export interface MemberRecordOptions {
  /** Puts the list into the lease store; resolves when it is there. */
  readonly record: (members: readonly NodeIdentity[]) => Promise<void>;
  readonly complaints: Complaints;
  readonly clock: StreamClock;
  /** Told when another list is recorded. */
  readonly onRecorded: () => void;
}

/** A node that was away for longer is no member any more, until it comes back. */
const ABSENT_MS_MAX = 60_000;

interface Waiting {
  readonly node: NodeIdentity;
  readonly callback: () => void;
}

/**
 * Who belongs to the cluster, as a primary records it for one term: candidates ask the members what
 * they hold, and the fail-safe rule asks them too. M1. Members of the term before stay for as long as
 * they may only be late. M2. A replica's word counts only once it is recorded: a candidate that does
 * not know of it could not ask it.
 */
export class MemberRecord {
  readonly #options: MemberRecordOptions;
  readonly #seen = new Map<string, { readonly node: NodeIdentity; atMs: number }>();
  #recorded: readonly NodeIdentity[];
  #underWay = '';
  #waiting: Waiting[] = [];
  /** All starts of processes that had a name, the latest last. */
  readonly #starts = new Map<string, string[]>();

  /** `known` are the members that the term before recorded, without this node. */
  constructor(options: MemberRecordOptions, known: readonly NodeIdentity[]) {
    this.#options = options;
    this.#recorded = known;
    const atMs = options.clock.monotonicMs();
    for (const node of known) this.#seen.set(node.name, { node, atMs });
  }

  /** Brings the record up to date; these are connected now. Repeat it while some may have left. */
  update(connected: readonly NodeIdentity[]): void {
    const atMs = this.#options.clock.monotonicMs();
    for (const node of connected) this.#seen.set(node.name, { node, atMs });
    for (const [name, seen] of this.#seen) {
      if (atMs - seen.atMs >= ABSENT_MS_MAX) this.#seen.delete(name);
    }
    const members = Array.from(this.#seen.values(), ({ node }) => node);
    const key = keyOf(members);
    if (key === this.#underWay || (this.#underWay === '' && key === keyOf(this.#recorded))) return;
    this.#underWay = key;
    void this.#record(members, key);
  }

  /** A replica begins a stream. `callback` is called when it is recorded, at once if it is. */
  joined(node: NodeIdentity, callback: () => void): void {
    this.#watchForTwins(node);
    const others = Array.from(this.#seen.values(), (seen) => seen.node);
    if (this.#isRecorded(node)) callback();
    else this.#waiting.push({ node, callback });
    this.update([...others.filter(({ name }) => name !== node.name), node]);
  }

  async #record(members: readonly NodeIdentity[], key: string): Promise<void> {
    const { record, complaints, onRecorded } = this.#options;
    try {
      await record(members);
    } catch (error) {
      complaints.about('cannot record the members of the cluster', error);
      if (this.#underWay === key) this.#underWay = '';
      return;
    }
    if (this.#underWay !== key) return;
    this.#underWay = '';
    this.#recorded = members;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ node }) => !this.#isRecorded(node));
    for (const { node, callback } of waiting) if (this.#isRecorded(node)) callback();
    onRecorded();
  }

  /** Candidates need its name and address; the id changes with each start. */
  #isRecorded({ name, advertiseUrl }: NodeIdentity): boolean {
    return this.#recorded.some((each) => each.name === name && each.advertiseUrl === advertiseUrl);
  }

  /** A process that comes back after another one of its name had come was never gone. */
  #watchForTwins({ name, id, advertiseUrl }: NodeIdentity): void {
    const starts = this.#starts.get(name) ?? [];
    const isBack = starts.includes(id) && starts.at(-1) !== id;
    this.#starts.set(name, [...starts.filter((each) => each !== id), id].slice(-STARTS_MAX));
    if (!isBack) return;
    this.#options.complaints.say('warn', `two nodes are named ${name}`, {
      message: `One of them is at ${advertiseUrl}; they displace each other.`,
      hint: 'Give every node a name of its own: the name of its pod or host.',
    });
  }
}

const STARTS_MAX = 16;

function keyOf(members: readonly NodeIdentity[]): string {
  const ids = members.map(({ id, advertiseUrl }) => `${id} ${advertiseUrl}`);
  return `${ids.length} ${ids.toSorted().join(' ')}`;
}
