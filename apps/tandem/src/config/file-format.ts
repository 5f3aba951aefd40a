import { basename } from 'node:path';
import type { MapNode } from './config-node.ts';

/** Which keys a file has. */
export type FileFormat = 'tandem' | 'litefs';

/** What only one of the two has, as `section` or `section.key`. */
const LITEFS_MARKS = [
  'fuse',
  'data',
  'tracing',
  'strict-verify',
  'http.addr',
  'proxy.addr',
  'proxy.db',
  'lease.hostname',
  'lease.advertise-url',
  'lease.consul.ttl',
  'mount-dir',
  'data-dir',
];
const TANDEM_MARKS = [
  'databases',
  'state',
  'node',
  'cluster',
  'acknowledge',
  'commands',
  'log-retention',
  'repair',
  'checkpoint',
  'sync',
  'http.listen',
  'proxy.listen',
  'lease.static',
  'lease.kubernetes',
  'lease.etcd',
];

/** Tells the format by the name of the file, else by its keys; in doubt it is ours. */
export function detectFormat(path: string, root: MapNode): FileFormat {
  const name = basename(path).toLowerCase();
  if (name.includes('litefs')) return 'litefs';
  if (name.includes('tandem')) return 'tandem';
  return formatByKeys(root) ?? 'tandem';
}

/** What the keys say; undefined when they say nothing or both. */
export function formatByKeys(root: MapNode): FileFormat | undefined {
  const isLitefs = LITEFS_MARKS.some((mark) => hasPath(root, mark.split('.')));
  const isTandem = TANDEM_MARKS.some((mark) => hasPath(root, mark.split('.')));
  if (isLitefs === isTandem) return undefined;
  return isLitefs ? 'litefs' : 'tandem';
}

function hasPath(map: MapNode, [first, ...rest]: readonly string[]): boolean {
  const entry = map.entries.find(({ key }) => key === first);
  if (entry === undefined) return false;
  if (rest.length === 0) return true;
  return entry.node.kind === 'map' && hasPath(entry.node, rest);
}
