import { ConsulLease, type ConsulLeaseSettings } from './consul-lease.ts';
import { EtcdLease, type EtcdLeaseSettings } from './etcd-lease.ts';
import { KubernetesLease, type KubernetesLeaseSettings } from './kubernetes-lease.ts';
import type { LeaseClock } from './lease-clock.ts';
import type { LeaseStore } from './lease-store.ts';
import { StaticLease, type StaticLeaseSettings } from './static-lease.ts';

/** A lease store as plain data, which can be sent to another thread. */
export type LeaseStoreConfig =
  | ({ readonly kind: 'static' } & StaticLeaseSettings)
  | ({ readonly kind: 'kubernetes' } & Omit<KubernetesLeaseSettings, 'clock'>)
  | ({ readonly kind: 'etcd' } & Omit<EtcdLeaseSettings, 'clock'>)
  | ({ readonly kind: 'consul' } & Omit<ConsulLeaseSettings, 'clock'>);

/**
 * Opens the store that the settings describe; nothing is connected yet.
 *
 * @throws LeaseError `lease_bad_setting` or `lease_bad_node_name` when they cannot work.
 */
export function openLeaseStore(config: LeaseStoreConfig, clock?: LeaseClock): LeaseStore {
  const clocks = clock === undefined ? {} : { clock };
  switch (config.kind) {
    case 'static':
      return new StaticLease(config);
    case 'kubernetes':
      return new KubernetesLease({ ...config, ...clocks });
    case 'etcd':
      return new EtcdLease({ ...config, ...clocks });
    case 'consul':
      return new ConsulLease({ ...config, ...clocks });
  }
}
