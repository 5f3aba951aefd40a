import { isSource, isTest, type Repository, type Violation } from './repository.ts';
import { codeTokensOf } from './source-tokens.ts';
import {
  rootManifest,
  workspaceImports,
  workspacePackages,
  type Import,
  type WorkspacePackage,
} from './workspace.ts';

/** Programs that make generated files. They run in development only. */
const GENERATOR = /(?:\/|-)(?:generate|build)\.ts$/;

/**
 * What a package imports, its own `package.json` declares: dependencies for the program, also
 * devDependencies (its own and the root's) for tests and for what runs only in development.
 * What it declares, it uses.
 */
export function declarationViolations(repository: Repository): Violation[] {
  const rootTools = Object.keys(rootManifest(repository).devDependencies ?? {});
  const undeclared = workspaceImports(repository).flatMap((found) => {
    const message = complaint(found, rootTools);
    return message === undefined ? [] : [{ path: found.path, line: found.site.line, message }];
  });
  return [...undeclared, ...workspacePackages(repository).flatMap(unused(repository))];
}

function complaint(
  { importer, target, site, path }: Import,
  rootTools: readonly string[],
): string | undefined {
  const developing = isDevelopment(importer, path);
  if (target.kind === 'file') {
    const misled = !developing && GENERATOR.test(target.path);
    return misled ? `the program imports a generator, '${site.specifier}'` : undefined;
  }
  if (target.kind === 'builtin') {
    if (target.name.startsWith('node:')) return undefined;
    return `'${target.name}' is written 'node:${target.name}'`;
  }
  const name = target.kind === 'workspace' ? target.imported.name : target.name;
  if (name === importer.name) return undefined;
  if (Object.hasOwn(importer.manifest.dependencies ?? {}, name)) return undefined;
  const declaredForTests =
    Object.hasOwn(importer.manifest.devDependencies ?? {}, name) || rootTools.includes(name);
  if (developing && declaredForTests) return undefined;
  const list = developing ? 'devDependencies' : 'dependencies';
  return `'${site.specifier}' is not among the ${list} of ${importer.name}`;
}

function isDevelopment({ folder }: WorkspacePackage, path: string): boolean {
  const isTool = /^(?:tools\/|bench$)/.test(folder);
  return isTool || isTest(path) || GENERATOR.test(path) || !path.startsWith(`${folder}/src/`);
}

function unused(repository: Repository): (candidate: WorkspacePackage) => Violation[] {
  return ({ name, folder, manifest }) => {
    const strings = new Set<string>();
    for (const path of repository.keys()) {
      if (!path.startsWith(`${folder}/`) || !isSource(path)) continue;
      for (const token of codeTokensOf(repository, path)) {
        if (token.kind === 'string') strings.add(token.text);
      }
    }
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    return declared
      .filter((dependency) => !isNamed(dependency, strings))
      .map((dependency) => ({
        path: `${folder}/package.json`,
        message: `${name} declares ${dependency} and never uses it`,
      }));
  };
}

function isNamed(dependency: string, strings: ReadonlySet<string>): boolean {
  if (strings.has(dependency)) return true;
  for (const text of strings) if (text.startsWith(`${dependency}/`)) return true;
  return false;
}
