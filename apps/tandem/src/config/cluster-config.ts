import type { Draft } from './draft.ts';
import { subjectOf } from './given-value.ts';
import type { AcknowledgeConfig, TandemConfig } from './tandem-config.ts';

/** What is known of the cluster as a whole. */
export function clusterConfigOf(draft: Draft, isAlone: boolean): TandemConfig['cluster'] {
  const { values, findings } = draft;
  const peers = values['lease.static.peers'];
  const configured = values['cluster.nodes'];
  const given = draft.given('cluster.nodes');
  if (given !== undefined && configured !== null && peers !== null && configured !== peers.size) {
    const message = `${subjectOf(given)} is ${configured}, but lease.static.peers names ${peers.size}.`;
    findings.error(
      'config_conflict',
      given,
      message,
      'Remove cluster.nodes, or complete the list.',
    );
  }
  if (!draft.isGiven('cluster.nodes')) {
    if (peers === null) draft.settle('cluster.nodes', '1');
    else draft.derive('cluster.nodes', String(peers.size), 'lease.static.peers');
    if (values['acknowledge.mode'] === 'majority' && peers === null && !isAlone) {
      findings.error(
        'config_missing',
        'cluster.nodes',
        'acknowledge.mode is majority, but cluster.nodes does not say of how many.',
        'Write how many nodes there are, the same on all of them.',
      );
    }
  }
  return {
    id: values['cluster.id'],
    onMismatch: values['cluster.on-mismatch'],
    nodes: configured ?? peers?.size ?? 1,
  };
}

/** When a write counts as done. */
export function acknowledgeConfigOf(draft: Draft, isAlone: boolean): AcknowledgeConfig {
  const { values, findings } = draft;
  const mode = values['acknowledge.mode'];
  const onTimeout = values['acknowledge.on-timeout'];
  const given = draft.given('acknowledge.mode');
  if (mode === 'one' && isAlone && given !== undefined) {
    const message = `${subjectOf(given)} is one, but no other node is configured that could acknowledge.`;
    const hint =
      'Name the other nodes in lease.static.peers or use another lease.type, or write none.';
    if (onTimeout === 'block') findings.error('config_conflict', given, message, hint);
    else findings.warn(given, message, hint);
  }
  return { mode, timeoutMs: values['acknowledge.timeout'], onTimeout };
}
