import type { LeaseTimings, StaticRule } from '@tandem/lease';
import type { ProxyTuning } from '@tandem/proxy';
import type { CommandCondition } from './command-line.ts';
import type { ListenAddress } from './listen-address.ts';

/** All that the daemon runs with: plain, frozen data. Times in ms, sizes in bytes, paths absolute. */
export interface TandemConfig {
  /** The file that was read; null when there is none. */
  readonly filePath: string | null;
  readonly format: 'tandem' | 'litefs';
  readonly databases: DatabasesConfig;
  readonly state: { readonly folder: string };
  readonly node: NodeConfig;
  readonly cluster: {
    readonly id: string | null;
    readonly onMismatch: 'set-aside' | 'refuse';
    /** How many nodes there are, this one included. */
    readonly nodes: number;
  };
  readonly lease: LeaseConfig;
  readonly acknowledge: AcknowledgeConfig;
  readonly http: HttpConfig;
  readonly proxy: ProxyConfig | null;
  readonly logRetention: { readonly ageMs: number; readonly bytes: number };
  /** Null: no limit. */
  readonly repair: { readonly bytesPerSecond: number | null };
  readonly backup: BackupConfig | null;
  /** Run to their end, in this order, before `exec`. */
  readonly commands: readonly CommandConfig[];
  /** The application; null when Tandem runs beside it. */
  readonly exec: CommandConfig | null;
  readonly log: {
    readonly format: 'json' | 'text';
    readonly level: 'debug' | 'info' | 'warn' | 'error';
  };
  readonly skipSync: boolean;
  readonly exitOnError: boolean;
  readonly sync: 'full' | 'none';
  readonly checkpoint: { readonly pages: number; readonly pagesMax: number };
}

export interface AcknowledgeConfig {
  readonly mode: 'none' | 'one' | 'majority';
  readonly timeoutMs: number;
  readonly onTimeout: 'degrade' | 'block';
}

export interface DatabasesConfig {
  readonly folder: string;
  /** Patterns as `databaseFilter` reads them. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly journalMode: 'switch' | 'refuse';
  readonly busyTimeoutMs: number;
}

export interface NodeConfig {
  readonly name: string;
  /** The pod's uid, where the downward API tells it. */
  readonly uid: string | null;
  /** Where other nodes reach `http`. With port 0 the daemon puts in the port it was given. */
  readonly advertiseUrl: string;
}

/** Files in PEM form. */
export interface ClientTlsConfig {
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

interface LeaseBase {
  readonly candidate: boolean;
  /** True when no other node can be meant: a static lease without other nodes. */
  readonly isAlone: boolean;
  readonly promote: boolean;
  readonly timings: LeaseTimings;
  readonly failsafe: boolean;
  readonly reconnectDelayMs: number;
  readonly demoteDelayMs: number;
}

export interface StaticLeaseConfig extends LeaseBase {
  readonly type: 'static';
  readonly primary: StaticRule;
  readonly primaryUrl: string;
  /** All nodes by name, if they were listed. */
  readonly peers: Readonly<Record<string, string>>;
}

export interface KubernetesLeaseConfig extends LeaseBase {
  readonly type: 'kubernetes';
  readonly leaseName: string;
  /** Null: that of the service account. */
  readonly namespace: string | null;
  /** Null: as Kubernetes tells each pod. */
  readonly apiServerUrl: string | null;
  readonly tokenFile: string | null;
  readonly caFile: string | null;
}

export interface EtcdLeaseConfig extends LeaseBase {
  readonly type: 'etcd';
  readonly endpoints: readonly string[];
  readonly prefix: string;
  readonly user: string | null;
  readonly password: string | null;
  readonly tls: ClientTlsConfig;
}

export interface ConsulLeaseConfig extends LeaseBase {
  readonly type: 'consul';
  /** With token and prefix of keys, as `parseConsulUrl` takes it apart. */
  readonly url: string;
  readonly key: string;
  readonly token: string | null;
  readonly lockDelayMs: number;
  readonly tls: ClientTlsConfig;
}

export type LeaseConfig =
  | StaticLeaseConfig
  | KubernetesLeaseConfig
  | EtcdLeaseConfig
  | ConsulLeaseConfig;

export interface HttpConfig {
  readonly listen: ListenAddress;
  readonly token: string | null;
  readonly isOpenOnLoopback: boolean;
  readonly tls: {
    readonly certFile: string;
    readonly keyFile: string;
    readonly caFile: string | null;
    readonly requireClientCertificate: boolean;
  } | null;
}

export interface ProxyConfig {
  readonly listen: ListenAddress;
  readonly targetUrl: string;
  /** Where the proxies of other nodes reach this one. */
  readonly advertiseUrl: string;
  /** Null: all databases. */
  readonly database: string | null;
  readonly tuning: Partial<ProxyTuning>;
}

export interface BackupConfig {
  /** As `openStore` of `@tandem/storage` takes it. */
  readonly url: string;
  /** Null for a folder. */
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  } | null;
  readonly intervalMs: number;
  readonly snapshotIntervalMs: number;
  readonly retentionMs: number;
}

export interface CommandConfig {
  /** The program as an absolute path. */
  readonly program: string;
  /** What it is called with: the first word as it was written, then the arguments. */
  readonly words: readonly string[];
  readonly condition: CommandCondition;
}
