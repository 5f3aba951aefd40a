import { LeaseError } from './lease-error.ts';

/** A node as others see it. */
export interface NodeIdentity {
  /** Unique to one start of one process: name, uid of the pod or machine, random boot id. */
  readonly id: string;
  /** The stable part: the name of the pod or of the host. */
  readonly name: string;
  /** Where other nodes reach it, as an absolute URL. */
  readonly advertiseUrl: string;
}

/** What a node knows of itself. */
export interface NodeFacts {
  /** Name of the pod (downward API) or of the host. */
  readonly name: string;
  /** Uid of the pod or of the machine, where there is one. */
  readonly uid?: string;
  /** Random for each start of the process, so that a restarted one never continues an old term (L6). */
  readonly bootId: string;
  readonly advertiseUrl: string;
}

const NAME_PATTERN = /^[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?$/i;
const ADDRESS_PATTERN = /^[\d.]+$/;
const NAMES_OF_EVERYONE = new Set(['localhost', 'localhost.localdomain', 'ip6-localhost']);

/**
 * Makes the identity of this start of the process.
 *
 * @throws LeaseError `lease_bad_node_name` when the name is an address or the name of every host,
 * `lease_bad_setting` when the URL is none of HTTP.
 */
export function makeNodeIdentity(facts: NodeFacts): NodeIdentity {
  const { name, uid = '', bootId, advertiseUrl } = facts;
  mustBeNodeName(name);
  if (bootId === '') {
    throw new LeaseError('lease_bad_setting', 'The identity of a node needs a random boot id.');
  }
  const url = URL.canParse(advertiseUrl) ? new URL(advertiseUrl) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new LeaseError(
      'lease_bad_setting',
      `The advertise URL '${advertiseUrl}' is not an HTTP URL.`,
      {
        hint: 'Give the URL under which other nodes reach this one, such as http://10.0.0.7:20202.',
      },
    );
  }
  return { id: [name, uid, bootId].filter((part) => part !== '').join('_'), name, advertiseUrl };
}

/**
 * Refuses a name that cannot tell this node from others, as an overridden HOSTNAME often is.
 *
 * @throws LeaseError `lease_bad_node_name`.
 */
export function mustBeNodeName(name: string): void {
  const isUsable =
    NAME_PATTERN.test(name) &&
    !ADDRESS_PATTERN.test(name) &&
    !NAMES_OF_EVERYONE.has(name.toLowerCase());
  if (isUsable) return;
  throw new LeaseError('lease_bad_node_name', `'${name}' cannot be the name of a node.`, {
    hint:
      'Use the name of the pod or host. A variable HOSTNAME that the image or a ConfigMap sets ' +
      '(0.0.0.0, localhost) is not one; name the node explicitly or take the override away.',
  });
}
