import type { Repository, Violation } from './repository.ts';

/** Names that say nothing of what is inside, so that anything ends up there. */
const EMPTY_NAMES = new Set(
  'utils util utilities helpers helper common types shared misc'.split(' '),
);
const EMPTY_ENDING = /-(?:utils?|helpers?|misc|common|shared)$/;
const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/;
const OWN_FOLDERS = /^(?:packages|apps|tools|bench)\//;
const OWN_CODE = /^(?:(?:packages|apps|tools)\/[^/]+|bench)\/(?:src|test)\/(?<inner>.+)$/;

/** Files and folders are named for what they hold; those of the program are in kebab-case. */
export function nameViolations(repository: Repository): Violation[] {
  return [...repository.keys()].flatMap((path) => {
    const violations: Violation[] = [];
    if (OWN_FOLDERS.test(path)) {
      const empty = path.split('/').find(isEmptyName);
      if (empty !== undefined) violations.push({ path, message: `'${empty}' names nothing` });
    }
    const odd = OWN_CODE.exec(path)
      ?.groups?.inner?.split('/')
      .find((part) => !isKebabCase(part));
    if (odd !== undefined) violations.push({ path, message: `'${odd}' is not in kebab-case` });
    return violations;
  });
}

function isEmptyName(name: string): boolean {
  const stem = name.split('.', 1)[0] ?? '';
  return EMPTY_NAMES.has(stem) || EMPTY_ENDING.test(stem);
}

function isKebabCase(name: string): boolean {
  return KEBAB_CASE.test(name);
}
