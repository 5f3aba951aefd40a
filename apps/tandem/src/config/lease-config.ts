import { isCandidateBy } from './candidate-rule.ts';
import type { Draft } from './draft.ts';
import { LEASE_TYPES } from './lease-settings.ts';
import { stemOf } from './node-name.ts';
import { needed, needTogether, readNamedFile } from './requirement.ts';
import { SETTING_KEYS } from './settings.ts';
import { staticLeaseOf, type LeaseSubject } from './static-lease-config.ts';
import type {
  ConsulLeaseConfig,
  EtcdLeaseConfig,
  KubernetesLeaseConfig,
  LeaseConfig,
} from './tandem-config.ts';
import { timingsOf } from './timings-config.ts';

type BaseKey = Exclude<keyof LeaseConfig, 'type'>;
type Store =
  | Omit<KubernetesLeaseConfig, BaseKey>
  | Omit<EtcdLeaseConfig, BaseKey>
  | Omit<ConsulLeaseConfig, BaseKey>;

const NEEDED_BY_TYPE = 'its lease.type needs';

/** Whether no other node can be meant: a static lease that names none. */
export function isAloneBy(draft: Draft): boolean {
  if (draft.values['lease.type'] !== 'static') return false;
  const keys = ['lease.static.primary', 'lease.static.primary-url', 'lease.static.peers'] as const;
  return !keys.some((key) => draft.isGiven(key)) && (draft.values['cluster.nodes'] ?? 1) === 1;
}

/** The lease, or undefined when something is missing or wrong, which is reported. */
export function leaseConfigOf(draft: Draft, subject: LeaseSubject): LeaseConfig | undefined {
  const { values } = draft;
  const timings = timingsOf(draft);
  const type = values['lease.type'];
  warnOfOtherTypes(draft);
  const base = {
    isAlone: subject.isAlone,
    promote: values['lease.promote'],
    failsafe: values['lease.failsafe'],
    reconnectDelayMs: values['lease.reconnect-delay'],
    demoteDelayMs: values['lease.demote-delay'],
  };
  if (type === 'static') {
    const rule = staticLeaseOf(draft, subject);
    if (rule === undefined || timings === undefined) return undefined;
    return { ...base, type, ...rule, timings };
  }
  const candidate = candidateOf(draft, subject.name);
  const store = storeOf(draft, type, subject.name);
  if (candidate === undefined || store === undefined || timings === undefined) return undefined;
  return { ...base, candidate, timings, ...store };
}

function candidateOf(draft: Draft, name: string): boolean | undefined {
  const isCandidate = isCandidateBy(draft.values['lease.candidate'], name);
  const given = draft.given('lease.candidate');
  if (isCandidate === undefined && given !== undefined) {
    draft.findings.badValue(
      given,
      `asks for an ordinal, and the name of this node, ${name}, has none`,
      'Write a rule about the name, or give the nodes names that end in -0, -1 and so on.',
    );
  } else if (isCandidate === false && draft.values['lease.promote']) {
    const message = 'lease.promote has no effect on this node, since it cannot become primary.';
    draft.findings.info(draft.subject('lease.promote'), message);
  }
  return isCandidate;
}

/** Keys of a kind of lease that is not used: probably the type was forgotten. */
function warnOfOtherTypes(draft: Draft): void {
  const type = draft.values['lease.type'];
  for (const other of LEASE_TYPES) {
    const key = SETTING_KEYS.find((one) => one.startsWith(`lease.${other}.`) && draft.given(one));
    if (other === type || key === undefined) continue;
    const message = `${draft.given(key)?.name ?? key} has no effect with lease.type: ${type}.`;
    draft.findings.warn(draft.subject(key), message, `Write lease.type: ${other}, or remove it.`);
  }
}

function storeOf(
  draft: Draft,
  type: 'kubernetes' | 'etcd' | 'consul',
  name: string,
): Store | undefined {
  switch (type) {
    case 'kubernetes':
      return kubernetesOf(draft, name);
    case 'etcd':
      return etcdOf(draft);
    case 'consul':
      return consulOf(draft);
  }
}

function kubernetesOf(draft: Draft, name: string): Store | undefined {
  const { values, findings } = draft;
  const apiServerUrl = values['lease.kubernetes.api-server'];
  if (!draft.isGiven('lease.kubernetes.api-server') && !isInPod(draft)) {
    findings.error(
      'config_missing',
      'lease.kubernetes.api-server',
      'lease.type is kubernetes, but this is no pod: KUBERNETES_SERVICE_HOST is not set.',
      'Run it in a pod, or write lease.kubernetes.api-server with token-file and ca-file.',
    );
  }
  readNamedFile(draft, 'lease.kubernetes.token-file');
  readNamedFile(draft, 'lease.kubernetes.ca-file');
  const leaseName = leaseNameOf(draft, name);
  if (leaseName === undefined) return undefined;
  const podNamespace = draft.variable('POD_NAMESPACE') ?? null;
  if (!draft.isGiven('lease.kubernetes.namespace') && podNamespace !== null) {
    draft.derive('lease.kubernetes.namespace', podNamespace, 'POD_NAMESPACE');
  }
  return {
    type: 'kubernetes',
    leaseName,
    namespace: values['lease.kubernetes.namespace'] ?? podNamespace,
    apiServerUrl,
    tokenFile: values['lease.kubernetes.token-file'],
    caFile: values['lease.kubernetes.ca-file'],
  };
}

function isInPod(draft: Draft): boolean {
  return draft.variable('KUBERNETES_SERVICE_HOST') !== undefined;
}

function leaseNameOf(draft: Draft, name: string): string | undefined {
  const configured = draft.values['lease.kubernetes.lease'];
  if (configured !== null) return configured;
  const stem = stemOf(name);
  if (stem === undefined || draft.isGiven('lease.kubernetes.lease')) {
    return needed(draft, 'lease.kubernetes.lease', NEEDED_BY_TYPE);
  }
  const leaseName = `${stem.toLowerCase()}-tandem`;
  draft.derive('lease.kubernetes.lease', leaseName, 'node.name');
  const message = `The nodes compete for the Lease object ${leaseName}, from the name of this one.`;
  draft.findings.info('lease.kubernetes.lease', message);
  return leaseName;
}

function etcdOf(draft: Draft): Store | undefined {
  const { values } = draft;
  const endpoints = needed(draft, 'lease.etcd.endpoints', NEEDED_BY_TYPE);
  const prefix = needed(draft, 'lease.etcd.prefix', NEEDED_BY_TYPE);
  const given = draft.given('lease.etcd.prefix');
  if (given !== undefined && prefix !== undefined && !/[^/]/.test(prefix)) {
    draft.findings.badValue(given, 'names no folder', 'Write one of its own, as /tandem/shop.');
  }
  needTogether(draft, 'lease.etcd.user', 'lease.etcd.password');
  needTogether(draft, 'lease.etcd.cert-file', 'lease.etcd.key-file');
  for (const key of [
    'lease.etcd.ca-file',
    'lease.etcd.cert-file',
    'lease.etcd.key-file',
  ] as const) {
    readNamedFile(draft, key);
  }
  if (endpoints === undefined || prefix === undefined) return undefined;
  return {
    type: 'etcd',
    endpoints,
    prefix,
    user: values['lease.etcd.user'],
    password: values['lease.etcd.password'],
    tls: {
      caFile: values['lease.etcd.ca-file'],
      certFile: values['lease.etcd.cert-file'],
      keyFile: values['lease.etcd.key-file'],
    },
  };
}

function consulOf(draft: Draft): Store | undefined {
  const { values } = draft;
  const url = needed(draft, 'lease.consul.url', NEEDED_BY_TYPE);
  const key = needed(draft, 'lease.consul.key', NEEDED_BY_TYPE);
  readNamedFile(draft, 'lease.consul.ca-file');
  if (url === undefined || key === undefined) return undefined;
  return {
    type: 'consul',
    url,
    key,
    token: values['lease.consul.token'],
    lockDelayMs: values['lease.consul.lock-delay'],
    tls: { caFile: values['lease.consul.ca-file'], certFile: null, keyFile: null },
  };
}
