import { LeaseError } from './lease-error.ts';
import { parseServerUrl, type LeaseSettings } from './lease-settings.ts';
import type {
  AcquireOutcome,
  LeaseStore,
  LeaseView,
  MayLead,
  ReleaseOptions,
  RenewOutcome,
} from './lease-store.ts';
import type { NodeIdentity } from './node-identity.ts';
import { untilAborted } from './until-aborted.ts';

/** Which node is primary. The rule is the same on all nodes, so it can name only one. */
export type StaticRule =
  | { readonly kind: 'name'; readonly name: string }
  /** The node whose name ends in `-N`, as the pods of a StatefulSet do. */
  | { readonly kind: 'ordinal'; readonly ordinal: number };

export interface StaticLeaseSettings extends Pick<LeaseSettings, 'self'> {
  readonly primary: StaticRule;
  /** Where the primary is reached, told to the other nodes. */
  readonly primaryUrl: string;
  /** A fixed epoch; without it each term is one above the highest in the primary's own log. */
  readonly epoch?: number;
}

/** A lease that the configuration gives to one node for ever. */
export class StaticLease implements LeaseStore {
  readonly kind = 'static';
  readonly #settings: StaticLeaseSettings;
  readonly #isPrimary: boolean;
  #epoch = 0;
  #isHeld = false;

  /** @throws LeaseError `lease_bad_setting` or `lease_bad_node_name` when the rule cannot work. */
  constructor(settings: StaticLeaseSettings) {
    parseServerUrl("The static primary's address", settings.primaryUrl);
    const { epoch } = settings;
    if (epoch !== undefined && !(Number.isSafeInteger(epoch) && epoch >= 1)) {
      throw new LeaseError('lease_bad_setting', `The epoch ${epoch} is no whole number from 1.`);
    }
    this.#settings = settings;
    this.#isPrimary = isNamedBy(settings.primary, settings.self.name);
  }

  async acquire(epochFloor: number, mayLead?: MayLead): Promise<AcquireOutcome> {
    const holder = this.#primary();
    if (!this.#isPrimary) return { kind: 'held', holder, epoch: this.#epoch };
    if (mayLead !== undefined && !(await mayLead(await this.observe())))
      return { kind: 'declined' };
    const seen = Math.max(this.#epoch, epochFloor);
    const { epoch = seen + 1 } = this.#settings;
    if (epoch < epochFloor) {
      throw new LeaseError(
        'lease_bad_setting',
        `The configured epoch ${epoch} is below epoch ${epochFloor} in this node's log.`,
        { hint: 'Raise the epoch on all nodes, or leave it out.' },
      );
    }
    this.#epoch = epoch;
    this.#isHeld = true;
    return { kind: 'acquired', term: { epoch, validUntilMs: Infinity } };
  }

  async renew(): Promise<RenewOutcome> {
    if (!this.#isHeld) return { kind: 'lost' };
    return { kind: 'renewed', term: { epoch: this.#epoch, validUntilMs: Infinity } };
  }

  async release(options: ReleaseOptions = {}): Promise<void> {
    if (options.successorName !== undefined) {
      throw new LeaseError('lease_fixed', 'A static lease cannot be handed off.', {
        hint:
          'Change the primary in the configuration of all nodes and restart them, or use a lease ' +
          'of kind kubernetes, etcd or consul.',
      });
    }
    this.#isHeld = false;
  }

  async observe(): Promise<LeaseView> {
    return { holder: this.#primary(), epoch: this.#epoch, members: [], isReleased: false };
  }

  async watch(onChange: (view: LeaseView) => void, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    onChange(await this.observe());
    await untilAborted(signal);
  }

  async claimClusterId(candidate: string): Promise<string> {
    return candidate;
  }

  async recordMembers(): Promise<void> {
    if (this.#isHeld) return;
    throw new LeaseError('lease_not_held', 'Only the primary records members.');
  }

  async close(): Promise<void> {
    this.#isHeld = false;
  }

  #primary(): NodeIdentity {
    const { self, primary, primaryUrl } = this.#settings;
    if (this.#isPrimary) return self;
    const name = primary.kind === 'name' ? primary.name : nameOfOrdinal(self.name, primary.ordinal);
    return { id: name, name, advertiseUrl: primaryUrl };
  }
}

function isNamedBy(rule: StaticRule, name: string): boolean {
  if (rule.kind === 'name') return rule.name === name;
  if (!(Number.isSafeInteger(rule.ordinal) && rule.ordinal >= 0)) {
    throw new LeaseError('lease_bad_setting', `The ordinal ${rule.ordinal} is no whole number.`);
  }
  return nameOfOrdinal(name, rule.ordinal) === name;
}

/** The name of the pod beside `name` that has the ordinal. */
function nameOfOrdinal(name: string, ordinal: number): string {
  const stem = /^(?<stem>.+)-\d+$/.exec(name)?.groups?.['stem'];
  if (stem !== undefined) return `${stem}-${ordinal}`;
  throw new LeaseError('lease_bad_node_name', `The name '${name}' does not end in an ordinal.`, {
    hint: 'Pods of a StatefulSet are named NAME-0, NAME-1, …; elsewhere name the primary instead.',
  });
}
