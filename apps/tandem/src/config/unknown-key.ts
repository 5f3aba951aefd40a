import type { GivenValue } from './given-value.ts';
import type { Findings } from './findings.ts';
import type { FileFormat } from './file-format.ts';
import { LITEFS_KEYS, LITEFS_OTHER_VERSIONS } from './litefs-keys.ts';
import { nearestName } from './nearest-name.ts';
import { SETTING_KEYS, variableOf } from './settings.ts';

/** A key that stands in more sections than this says little. */
const ELSEWHERE_MAX = 3;

/** Reports a key that does not exist, with what was probably meant. */
export function reportUnknownKey(given: GivenValue, format: FileFormat, findings: Findings): void {
  const { name, origin } = given;
  const where = origin.kind === 'file' ? `${name} in ${origin.file}, line ${origin.line},` : name;
  findings.error(
    'config_unknown_key',
    given,
    `${where} is no key of ${format === 'litefs' ? 'litefs.yml' : 'tandem.yml'}.`,
    format === 'litefs' ? litefsHint(name) : tandemHint(name),
  );
}

/** What to do about a key that `tandem.yml` does not have. */
export function tandemHint(path: string): string {
  const becomes = RENAMED.get(path);
  if (becomes !== undefined) return becomes;
  const near = nearestPath(path, SETTING_KEYS);
  if (near === path) return `Write it as sections: ${path.split('.').join(': → ')}:.`;
  if (near !== undefined) return `Did you mean ${near}? If not, remove it.`;
  const section = path.split('.')[0] ?? '';
  const siblings = SETTING_KEYS.filter((key) => key.startsWith(`${section}.`));
  if (siblings.length > 0) {
    return `Remove it. The keys of ${section} are ${siblings.map((key) => key.slice(section.length + 1)).join(', ')}.`;
  }
  const sections = [...new Set(SETTING_KEYS.map((key) => key.split('.')[0]))];
  return `Remove it. The keys at the top are ${sections.join(', ')}.`;
}

function litefsHint(path: string): string {
  const other = LITEFS_OTHER_VERSIONS.get(path);
  if (other !== undefined) return other;
  const ours = SETTING_KEYS.find((key) => key === path || key.startsWith(`${path}.`));
  if (ours !== undefined) {
    return (
      `${ours} is a key of tandem.yml: move to that file, or keep litefs.yml and set it as ` +
      `${variableOf(ours)} in the environment.`
    );
  }
  const near = nearestPath(path, [...LITEFS_KEYS.keys()]);
  if (near !== undefined) return `Did you mean ${near}? If not, remove it.`;
  return 'Remove it: LiteFS 0.5 has no such key either.';
}

/**
 * What was probably meant: the nearest key or section beside it, the same key in other sections
 * (`token` for `http.token`), or whatever is most like it.
 */
function nearestPath(path: string, paths: readonly string[]): string | undefined {
  if (paths.includes(path)) return path;
  const last = path.slice(path.lastIndexOf('.') + 1);
  const prefix = path.slice(0, path.length - last.length);
  const siblings = [...paths, ...sectionsOf(paths)]
    .filter((known) => known.startsWith(prefix))
    .map((known) => known.slice(prefix.length))
    .filter((rest) => !rest.includes('.'));
  const sibling = nearestName(last, siblings);
  if (sibling !== undefined) return `${prefix}${sibling}`;
  const elsewhere = paths.filter((known) => known.endsWith(`.${last}`));
  if (elsewhere.length > 0 && elsewhere.length <= ELSEWHERE_MAX) return elsewhere.join(' or ');
  return nearestName(path, paths);
}

function sectionsOf(paths: readonly string[]): readonly string[] {
  const sections = paths.flatMap((path) => {
    const parts = path.split('.');
    return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('.'));
  });
  return [...new Set(sections)];
}

/** Words of LiteFS, and words that are often tried, with what stands for them here. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['fuse', 'There is no mount. Write databases.folder for the folder of the databases.'],
  ['data', 'Write state.folder for data.dir and log-retention.age for data.retention.'],
  ['data.dir', 'Write state.folder.'],
  ['mount-dir', 'There is no mount. Write databases.folder for the folder of the databases.'],
  ['data-dir', 'Write state.folder.'],
  ['dir', 'Write databases.folder.'],
  ['dbs', 'Write databases.folder; all databases in it are replicated.'],
  ['http.addr', 'Write http.listen.'],
  ['proxy.addr', 'Write proxy.listen.'],
  ['proxy.db', 'Write proxy.database, or nothing: the cookie covers all databases.'],
  ['lease.hostname', 'Write node.name for this node, or lease.static.primary for the primary.'],
  [
    'lease.advertise-url',
    'Write node.advertise-url for this node, or lease.static.primary-url for the primary.',
  ],
  ['lease.consul.ttl', 'Write lease.duration.'],
  ['lease.databases', 'Write databases.include.'],
  ['lease.primary', 'Write lease.static.primary.'],
  ['lease.ttl', 'Write lease.duration.'],
  ['hostname', 'Write node.name.'],
  ['candidate', 'Write lease.candidate.'],
  ['primary', 'Write lease.static.primary.'],
  ['consul', 'Write it below lease, with lease.type: consul.'],
  ['etcd', 'Write it below lease, with lease.type: etcd.'],
  ['kubernetes', 'Write it below lease, with lease.type: kubernetes.'],
  ['static', 'Write it below lease, with lease.type: static.'],
  ['tracing', 'Nothing is traced to files; log.level: debug says more. Remove it.'],
  ['strict-verify', "Remove it: 'tandem verify' compares databases when you ask for it."],
  ['backup.path', 'Write backup.url; a path will do.'],
  ['backup.type', 'Write backup.url alone; it tells the type.'],
  ['backup.auth-token', 'Credentials are named by variables: backup.access-key-id-variable.'],
  ['log.debug', 'Write log.level: debug.'],
  ['log.timestamp', 'Remove it: every line of the log has a time.'],
]);
