import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { importSites, type ImportSite } from './import-sites.ts';
import { isSource, type Repository } from './repository.ts';
import { codeTokensOf } from './source-tokens.ts';

/** The fields of a `package.json` that the rules read. */
export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly description?: string;
  readonly license?: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface WorkspacePackage {
  readonly name: string;
  /** From the root, such as `packages/base`. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** An import with the file that holds it and what it leads to. */
export interface Import {
  readonly site: ImportSite;
  readonly path: string;
  readonly importer: WorkspacePackage;
  readonly target: ImportTarget;
}

/**
 * - `file`: a relative import; `path` is where it leads.
 * - `workspace`: another package of ours; `path` is undefined when its `exports` lack the entry.
 * - `builtin`: a module of Node.js; `external`: a package from elsewhere.
 */
export type ImportTarget =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'workspace';
      readonly imported: WorkspacePackage;
      readonly path: string | undefined;
    }
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'external'; readonly name: string };

const PACKAGE_FILE = /^((?:packages|apps|tools)\/[^/]+|bench)\/package\.json$/;

/** The root's own manifest. */
export function rootManifest(repository: Repository): Manifest {
  return parseManifest(repository.get('package.json') ?? '{}');
}

/** The packages of the workspace, in the order of their folders. */
export function workspacePackages(repository: Repository): WorkspacePackage[] {
  const packages: WorkspacePackage[] = [];
  for (const [path, text] of repository) {
    const folder = PACKAGE_FILE.exec(path)?.[1];
    if (folder === undefined) continue;
    const manifest = parseManifest(text);
    packages.push({ name: manifest.name ?? folder, folder, manifest });
  }
  return packages.sort((a, b) => (a.folder < b.folder ? -1 : 1));
}

/** Every import of every package's program text and tests. */
export function workspaceImports(repository: Repository): Import[] {
  const packages = workspacePackages(repository);
  const imports: Import[] = [];
  for (const path of repository.keys()) {
    const importer = packages.find((candidate) => path.startsWith(`${candidate.folder}/`));
    if (importer === undefined || !isSource(path)) continue;
    for (const site of importSites(codeTokensOf(repository, path))) {
      const target = targetOf(site.specifier, path, packages);
      imports.push({ site, path, importer, target });
    }
  }
  return imports;
}

function targetOf(
  specifier: string,
  path: string,
  packages: readonly WorkspacePackage[],
): ImportTarget {
  if (/^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..') {
    return { kind: 'file', path: posix.join(posix.dirname(path), specifier) };
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const imported = packages.find((candidate) => candidate.name === name);
  if (imported !== undefined) {
    const entry = imported.manifest.exports?.[`.${specifier.slice(name.length)}`];
    const entryPath = entry === undefined ? undefined : posix.join(imported.folder, entry);
    return { kind: 'workspace', imported, path: entryPath };
  }
  const isBuiltin = specifier.startsWith('node:') || builtinModules.includes(specifier);
  return isBuiltin ? { kind: 'builtin', name: specifier } : { kind: 'external', name };
}

function parseManifest(text: string): Manifest {
  // Every field is checked where it is used: a wrong kind fails the rule about manifests.
  return JSON.parse(text) as Manifest;
}
