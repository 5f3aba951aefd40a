import type { Repository, Violation } from './repository.ts';
import { rootManifest, workspacePackages, type Manifest } from './workspace.ts';

const EXACT_VERSION = /^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/;
const LICENCE = 'Apache-2.0';

/** Each package says what it is, under which licence, and names exact versions. */
export function manifestViolations(repository: Repository): Violation[] {
  const packages = workspacePackages(repository).flatMap(({ folder, manifest }) =>
    [...fieldComplaints(manifest), ...versionComplaints(manifest)].map((message) => ({
      path: `${folder}/package.json`,
      message,
    })),
  );
  const root = versionComplaints(rootManifest(repository)).map((message) => ({
    path: 'package.json',
    message,
  }));
  return [...packages, ...root];
}

function fieldComplaints(manifest: Manifest): string[] {
  const complaints: string[] = [];
  if (!/^@(?:loggia|tandem)\/[a-z][a-z-]*$/.test(manifest.name ?? '')) {
    complaints.push('the name is @loggia/… or @tandem/…');
  }
  if (!EXACT_VERSION.test(manifest.version ?? '')) complaints.push('the version is missing');
  if ((manifest.description ?? '').trim().length < 10) complaints.push('no description');
  if (manifest.license !== LICENCE) complaints.push(`the licence is not ${LICENCE}`);
  if (manifest.type !== 'module') complaints.push(`the type is not 'module'`);
  return complaints;
}

function versionComplaints(manifest: Manifest): string[] {
  const named = Object.entries({
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.optionalDependencies,
    ...manifest.peerDependencies,
  });
  return named
    .filter(([, version]) => !EXACT_VERSION.test(version))
    .map(([name, version]) => `${name} '${version}' is not an exact version`);
}
