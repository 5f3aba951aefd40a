import { AddressSet } from './address-set.ts';
import { HOSTING_RANGES, HOSTING_SYSTEMS } from './hosting-networks.ts';

/** Gives the record that a database has for an address, or null. */
export type AddressRecords = (address: string) => unknown;

/** Words in a network's name that mean servers for rent. */
const HOSTING_NAME =
  /\b(?:hosting|hoster|datacent(?:er|re)s?|data cent(?:er|re)s?|colo(?:cation)?|vps|dedicated|servers?|cloud)\b/i;
/** Networks whose names or services fit, but from which people browse. */
const NOT_HOSTING = /\b(?:cloudflare|akamai|fastly|icloud|apple|zscaler)\b/i;

/**
 * Tells hosting companies' addresses from people's.
 *
 * The built-in ranges know only the big clouds. A database with autonomous systems or a mark for
 * hosting (MaxMind's, DB-IP's and ip-location-db's ASN layouts, MaxMind's Anonymous IP, IPinfo's)
 * makes the answer better; it is asked beside the ranges. Whoever browses through a company's own
 * gateway in a cloud, or through a VPN at one, is taken for a machine: that is why it is a setting.
 */
export class Hosting {
  readonly #ranges: AddressSet;
  readonly #records: AddressRecords | null;

  constructor(records: AddressRecords | null = null) {
    this.#ranges = new AddressSet(Object.values(HOSTING_RANGES).flatMap((text) => words(text)));
    this.#records = records;
  }

  /** Whether `address`, in normal form, belongs to a hosting company. */
  isHosting(address: string): boolean {
    if (this.#ranges.has(address)) return true;
    return this.#records !== null && isHostingRecord(this.#records(address));
  }
}

/** Whether a database's record speaks of a hosting company. `record` may be anything. */
export function isHostingRecord(record: unknown): boolean {
  if (typeof record !== 'object' || record === null) return false;
  const fields = new Map<string, unknown>(Object.entries(record));
  if (fields.get('is_hosting_provider') === true) return true;
  const names = ['autonomous_system_organization', 'as_name', 'organization', 'isp', 'name'];
  const name = names.map((key) => fields.get(key)).find((value) => typeof value === 'string');
  if (typeof name === 'string' && NOT_HOSTING.test(name)) return false;
  const kind = fields.get('type') ?? fields.get('as_type') ?? fields.get('user_type');
  if (kind === 'hosting') return true;
  const number = systemNumber(fields.get('autonomous_system_number') ?? fields.get('asn'));
  if (number !== null && HOSTING_SYSTEMS.has(number)) return true;
  return typeof name === 'string' && HOSTING_NAME.test(name);
}

function systemNumber(value: unknown): number | null {
  if (typeof value === 'number') return value;
  const match = typeof value === 'string' ? /^(?:AS)?(\d+)$/i.exec(value) : null;
  return match === null ? null : Number(match[1]);
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
