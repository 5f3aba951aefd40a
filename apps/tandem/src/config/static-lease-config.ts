import type { StaticRule } from '@tandem/lease';
import { isCandidateBy } from './candidate-rule.ts';
import { textOf, variablesIn } from './config-node.ts';
import type { Draft } from './draft.ts';
import { subjectOf } from './given-value.ts';
import { nameByRule } from './static-rule.ts';
import type { StaticLeaseConfig } from './tandem-config.ts';

/** The node that the lease is read for. */
export interface LeaseSubject {
  readonly name: string;
  readonly advertiseUrl: string;
  readonly isAlone: boolean;
}

const OWN_NAME_VARIABLES = ['HOSTNAME', 'POD_NAME', 'NODE_NAME'];

/** Who is primary by a static lease, and where; undefined after reporting what is wrong. */
export function staticLeaseOf(
  draft: Draft,
  subject: LeaseSubject,
): Pick<StaticLeaseConfig, 'candidate' | 'primary' | 'primaryUrl' | 'peers'> | undefined {
  const rule = ruleOf(draft, subject);
  if (rule === undefined) return undefined;
  const { name } = subject;
  const primaryName = nameByRule(rule, name);
  if (primaryName === undefined) {
    const given = draft.given('lease.static.primary');
    const problem = `is an ordinal, and the name of this node, ${name}, does not end in one`;
    if (given !== undefined)
      draft.findings.badValue(given, problem, 'Write the name of the primary.');
    return undefined;
  }
  const isPrimary = primaryName === name;
  if (isPrimary) refuseOwnName(draft, name);
  checkPeers(draft, name);
  checkCandidate(draft, isPrimary, primaryName);
  const primaryUrl = primaryUrlOf(draft, subject, primaryName);
  if (primaryUrl === undefined) return undefined;
  const peers = Object.fromEntries(draft.values['lease.static.peers'] ?? []);
  return { candidate: isPrimary, primary: rule, primaryUrl, peers };
}

function ruleOf(draft: Draft, { name, isAlone }: LeaseSubject): StaticRule | undefined {
  const configured = draft.values['lease.static.primary'];
  if (configured !== null) return configured;
  if (isAlone) {
    draft.derive('lease.static.primary', name, 'there being one node only');
    return { kind: 'name', name };
  }
  if (!draft.isGiven('lease.static.primary') && draft.format === 'tandem') {
    draft.findings.error(
      'config_missing',
      'lease.static.primary',
      'lease.static.primary is not given, so every node would take itself for the primary.',
      'Write the name of the primary, or its ordinal, the same on all nodes.',
    );
  }
  return undefined;
}

/** What each node fills in for itself holds on every node, and would make as many primaries. */
function refuseOwnName(draft: Draft, name: string): void {
  const given = draft.given('lease.static.primary');
  if (given === undefined || draft.format === 'litefs') return;
  const used = variablesIn(given.node);
  const ownName = draft.given('node.name');
  const ofOwnName = ownName === undefined ? [] : variablesIn(ownName.node);
  const isOwn = used.some((one) => OWN_NAME_VARIABLES.includes(one) || ofOwnName.includes(one));
  if (!isOwn) return;
  draft.findings.error(
    'config_conflict',
    given,
    `${subjectOf(given)} is '${textOf(given.node)}', made from what each node is called, so every ` +
      'node would be primary.',
    `Write the primary's own name, such as ${name}, or its ordinal, the same on all nodes.`,
  );
}

function checkPeers(draft: Draft, name: string): void {
  const peers = draft.values['lease.static.peers'];
  const given = draft.given('lease.static.peers');
  if (given === undefined || peers === null || peers.has(name)) return;
  const names = peers.size === 0 ? 'no node' : [...peers.keys()].join(', ');
  draft.findings.error(
    'config_conflict',
    given,
    `${subjectOf(given)} names ${names}, but this node is called ${name}.`,
    'Add it with its URL, or write node.name.',
  );
}

function checkCandidate(draft: Draft, isPrimary: boolean, primaryName: string): void {
  draft.derive('lease.candidate', String(isPrimary), 'lease.static.primary');
  const given = draft.given('lease.candidate');
  if (given === undefined) return;
  if (isPrimary && isCandidateBy(draft.values['lease.candidate'], primaryName) === false) {
    draft.findings.error(
      'config_conflict',
      given,
      `${subjectOf(given)} keeps ${primaryName} from being primary, but lease.static.primary names it.`,
      'Remove lease.candidate: of a static lease, lease.static.primary alone decides.',
    );
  } else {
    const message = `${subjectOf(given)} has no effect: of a static lease, lease.static.primary decides.`;
    draft.findings.info(given, message);
  }
}

function primaryUrlOf(
  draft: Draft,
  { name, advertiseUrl }: LeaseSubject,
  primaryName: string,
): string | undefined {
  const configured = draft.values['lease.static.primary-url'];
  if (configured !== null) return configured;
  if (draft.isGiven('lease.static.primary-url')) return undefined;
  const peer = draft.values['lease.static.peers']?.get(primaryName);
  const url = peer ?? (primaryName === name ? advertiseUrl : undefined);
  if (url !== undefined) {
    const from = peer === undefined ? 'node.advertise-url' : 'lease.static.peers';
    draft.derive('lease.static.primary-url', url, from);
    return url;
  }
  draft.findings.error(
    'config_missing',
    'lease.static.primary-url',
    `lease.static.primary-url is not given, and lease.static.peers has no entry for ${primaryName}.`,
    'Write where the primary is reached, the same on all nodes.',
  );
  return undefined;
}
