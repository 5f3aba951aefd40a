import { isTest, type Repository, type Violation } from './repository.ts';
import { workspaceImports, workspacePackages, type Import } from './workspace.ts';

/** Below everything: any package may import it, also from its own layer. */
const FLOOR = '@tandem/base';

/**
 * Each package's layer, as `ARCHITECTURE.md` draws them. A package imports only from lower layers.
 * Names are here before their packages are, so that the arrows are settled first.
 */
export const LAYERS: Readonly<Record<string, number>> = {
  [FLOOR]: 0,
  '@loggia/contract': 0,
  '@tandem/ltx': 1,
  '@tandem/sqlite-format': 1,
  '@loggia/reports': 1,
  '@tandem/lease': 2,
  '@tandem/storage': 2,
  '@tandem/replication': 3,
  '@loggia/journal': 3,
  '@loggia/warehouse': 3,
  '@tandem/proxy': 4,
  '@loggia/ingest': 4,
  '@loggia/archive': 4,
  '@loggia/tracker': 5,
  '@loggia/dashboard': 5,
  '@loggia/loggia': 6,
  '@tandem/tandem': 6,
  '@tandem/test': 7,
  '@tandem/tidy': 7,
  '@loggia/bench': 7,
};

/** Folders whose files may import fewer packages of ours than their layer would allow. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  'apps/tracker/src/browser/': [],
  'apps/dashboard/src/': ['@loggia/contract'],
};

/** Packages import downwards, through entry points, and never reach out of their own folder. */
export function layerViolations(repository: Repository): Violation[] {
  const unknown = workspacePackages(repository)
    .filter(({ name }) => LAYERS[name] === undefined)
    .map(({ name, folder }) => ({
      path: `${folder}/package.json`,
      message: `${name} has no layer in tools/tidy/src/layers.ts`,
    }));
  const wrong = workspaceImports(repository).flatMap((site) => {
    const message = complaint(site);
    return message === undefined ? [] : [{ path: site.path, line: site.site.line, message }];
  });
  return [...unknown, ...wrong];
}

function complaint({ path, importer, target, site }: Import): string | undefined {
  if (target.kind === 'file') {
    const inside = target.path.startsWith(`${importer.folder}/`);
    return inside ? undefined : `'${site.specifier}' leaves the package's folder`;
  }
  if (target.kind !== 'workspace') return undefined;
  const { imported } = target;
  if (imported.name === importer.name) {
    return isTest(path) ? undefined : 'a package imports its own files by relative paths';
  }
  if (target.path === undefined) {
    return `'${site.specifier}' is no entry point of ${imported.name}`;
  }
  for (const [folder, allowed] of Object.entries(ONLY)) {
    if (!path.startsWith(folder) || allowed.includes(imported.name)) continue;
    return `what is in ${folder} may not import ${imported.name}`;
  }
  const from = LAYERS[importer.name];
  const to = LAYERS[imported.name];
  if (from === undefined || to === undefined || to < from || imported.name === FLOOR) {
    return undefined;
  }
  return `${importer.name} (layer ${from}) imports ${imported.name} (layer ${to})`;
}
