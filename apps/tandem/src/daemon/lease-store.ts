import { readFileSync } from 'node:fs';
import {
  inClusterAccess,
  type LeaseStoreConfig,
  type NodeIdentity,
  parseConsulUrl,
  readInClusterNamespace,
  type TlsSettings,
} from '@tandem/lease';
import type { ClientTlsConfig, LeaseConfig } from '../config/tandem-config.ts';

/**
 * What the configuration says of the lease, as the store takes it.
 *
 * @throws LeaseError, or an error of the file system when a certificate cannot be read.
 */
export async function leaseStoreConfig(
  lease: LeaseConfig,
  self: NodeIdentity,
  env: Readonly<Record<string, string | undefined>>,
): Promise<LeaseStoreConfig> {
  const { timings } = lease;
  switch (lease.type) {
    case 'static':
      return { kind: 'static', self, primary: lease.primary, primaryUrl: lease.primaryUrl };
    case 'kubernetes': {
      const { apiServerUrl, tokenFile, caFile, leaseName, namespace } = lease;
      const access =
        apiServerUrl === null
          ? inClusterAccess(env)
          : { apiServerUrl, ...defined({ tokenFile, caFile }) };
      return {
        kind: 'kubernetes',
        self,
        timings,
        leaseName,
        ...access,
        namespace: namespace ?? (await readInClusterNamespace()),
      };
    }
    case 'etcd': {
      const { endpoints, prefix, user, password } = lease;
      const tls = tlsSettings(lease.tls);
      const access = { endpoints, ...defined({ user, password, tls }) };
      return { kind: 'etcd', self, timings, prefix, ...access };
    }
    case 'consul': {
      const { url, key, token, lockDelayMs } = lease;
      const { keyPrefix, ...parsed } = parseConsulUrl(url);
      const tls = tlsSettings(lease.tls);
      const access = { ...parsed, ...defined({ token, tls }) };
      return { kind: 'consul', self, timings, lockDelayMs, key: `${keyPrefix}${key}`, ...access };
    }
  }
}

/** Certificates and keys, read from their files; null when none is given. */
export function tlsSettings({ caFile, certFile, keyFile }: ClientTlsConfig): TlsSettings | null {
  if (caFile === null && certFile === null && keyFile === null) return null;
  const read = (path: string | null): string | null =>
    path === null ? null : readFileSync(path, 'utf8');
  return defined({ ca: read(caFile), cert: read(certFile), key: read(keyFile) });
}

type Defined<Values> = { [Key in keyof Values]?: NonNullable<Values[Key]> };

/** The values that are there. */
export function defined<Values extends object>(values: Values): Defined<Values> {
  const entries = Object.entries(values).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return Object.fromEntries(entries) as Defined<Values>;
}
