import type { DatabasesConfig } from './tandem-config.ts';

/**
 * Tells by its name, relative to the folder and with '/' between folders, whether a database is
 * replicated: some pattern of `include` fits and none of `exclude`.
 */
export function databaseFilter({
  include,
  exclude,
}: Pick<DatabasesConfig, 'include' | 'exclude'>): (name: string) => boolean {
  const wanted = include.map((pattern) => regexOf(pattern));
  const unwanted = exclude.map((pattern) => regexOf(pattern));
  return (name) =>
    wanted.some((regex) => regex.test(name)) && !unwanted.some((regex) => regex.test(name));
}

/** `**` is any run of characters, `*` one without '/', `?` one character that is not '/'. */
function regexOf(pattern: string): RegExp {
  const bare = pattern.replace(/^\.?\//, '');
  const inAnyFolder = bare.includes('/') ? '' : '(?:.*/)?';
  const body = bare.replaceAll(/\*\*\/|\*+|\?|[^*?]+/g, (part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '*') return '[^/]*';
    if (part.startsWith('**')) return '.*';
    return part === '?' ? '[^/]' : part.replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`);
  });
  return new RegExp(`^${inAnyFolder}${body}$`, 'su');
}
