export { LEASE_ERROR_CODES, LeaseError } from './lease-error.ts';
export type { LeaseErrorCode } from './lease-error.ts';
export { systemLeaseClock } from './lease-clock.ts';
export type { LeaseClock } from './lease-clock.ts';
export { LEASE_TIMING_PRESETS, parseLeaseTimings } from './lease-timings.ts';
export type { LeaseTimings } from './lease-timings.ts';
export { makeNodeIdentity, mustBeNodeName } from './node-identity.ts';
export type { NodeFacts, NodeIdentity } from './node-identity.ts';
export type {
  AcquireOutcome,
  LeaseKind,
  LeaseStore,
  LeaseTerm,
  LeaseView,
  MayLead,
  ReleaseOptions,
  RenewOutcome,
} from './lease-store.ts';
export { StaticLease } from './static-lease.ts';
export type { StaticLeaseSettings, StaticRule } from './static-lease.ts';
export { KubernetesLease } from './kubernetes-lease.ts';
export type { KubernetesLeaseSettings } from './kubernetes-lease.ts';
export { inClusterAccess, readInClusterNamespace } from './kubernetes-client.ts';
export type { KubernetesAccess } from './kubernetes-client.ts';
export { EtcdLease } from './etcd-lease.ts';
export type { EtcdLeaseSettings } from './etcd-lease.ts';
export type { EtcdAccess } from './etcd-client.ts';
export { ConsulLease } from './consul-lease.ts';
export type { ConsulLeaseSettings } from './consul-lease.ts';
export { parseConsulUrl } from './consul-client.ts';
export type { ConsulAccess } from './consul-client.ts';
export type { TlsSettings } from './http-connection.ts';
export type { LeaseSettings } from './lease-settings.ts';
export { LeaseKeeper } from './lease-keeper.ts';
export type {
  LeaseKeeperOptions,
  LeaseKeeping,
  OpenWindow,
  PeerQuestion,
} from './lease-keeping.ts';
export type { LossReason, RoleChange } from './keeper-machine.ts';
export { LeaseThread } from './lease-thread.ts';
export type { LeaseThreadOptions } from './lease-thread.ts';
export { openLeaseStore } from './store-config.ts';
export type { LeaseStoreConfig } from './store-config.ts';
