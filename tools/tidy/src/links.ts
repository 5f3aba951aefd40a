import { posix } from 'node:path';
import { parseMarkdown } from './markdown.ts';
import { isMade, type Repository, type Violation } from './repository.ts';

/** Links between documents lead to a file or folder that exists, and to a heading in it. */
export function linkViolations(repository: Repository): Violation[] {
  const folders = foldersOf(repository);
  return [...repository].flatMap(([path, text]) => {
    if (!path.endsWith('.md') || isMade(path)) return [];
    return parseMarkdown(text).links.flatMap(({ target, line }) => {
      const message = complaint(repository, folders, path, target);
      return message === undefined ? [] : [{ path, line, message }];
    });
  });
}

function complaint(
  repository: Repository,
  folders: ReadonlySet<string>,
  path: string,
  target: string,
): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  if (target === '') return 'a link leads nowhere';
  if (target.startsWith('/')) return `'${target}' is not relative`;
  const [file = '', anchor] = target.split('#', 2);
  const linked = file === '' ? path : posix.join(posix.dirname(path), decodeURI(file));
  const text = repository.get(linked);
  if (text === undefined) {
    const isFolder = folders.has(linked.replace(/\/$/, ''));
    return isFolder && anchor === undefined ? undefined : `'${target}' does not exist`;
  }
  if (anchor === undefined || !linked.endsWith('.md')) return undefined;
  const found = parseMarkdown(text).headings.some((heading) => heading.anchor === anchor);
  return found ? undefined : `'${linked}' has no heading '#${anchor}'`;
}

function foldersOf(repository: Repository): Set<string> {
  const folders = new Set<string>(['.']);
  for (const path of repository.keys()) {
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
      folders.add(folder);
    }
  }
  return folders;
}
