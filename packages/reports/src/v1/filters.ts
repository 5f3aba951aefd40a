import type { FilterOperator } from '@loggia/contract';

import { badQuery, describe } from '../bad-query.ts';
import { parseFilterDimension, parseFilters } from '../filter-parser.ts';
import type { Filter } from '../query.ts';

/**
 * Reads the filters of the older interface: `property==value`, joined with `;`. A value may be
 * several, `a|b`; `*` stands for anything within a path segment, `**` for anything at all; `!=`
 * negates, `~` and `!~` look for a part. A backslash takes the meaning from `;`, `|` and `*`.
 *
 * @throws HttpError `bad_query`.
 */
export function parseV1Filters(text: string): readonly Filter[] {
  const sent = splitUnescaped(text, ';')
    .filter((part) => part.trim() !== '')
    .map(parseComparison);
  return parseFilters(sent);
}

function parseComparison(text: string): readonly unknown[] {
  const match = /^\s*(.+?)\s*(==|!=|!~|~)\s*([\s\S]*)$/.exec(text);
  const [, name = '', sign = '', value = ''] = match ?? [];
  if (match === null || value.trim() === '') {
    throw badQuery(`The filter ${describe(text)} must look like 'visit:source==Google'.`);
  }
  const dimension = parseFilterDimension(name);
  const members = splitUnescaped(value.trim(), '|');
  const isPattern = dimension !== 'event:goal' && members.some((member) => hasWildcard(member));
  const operator = operatorOf(sign, isPattern);
  if (dimension === 'event:goal' && sign !== '==') {
    throw badQuery('The older interface cannot exclude goals.');
  }
  const clauses = members.map((member) => unescape(member));
  return [operator, dimension, clauses];
}

function operatorOf(sign: string, isPattern: boolean): FilterOperator {
  switch (sign) {
    case '==':
      return isPattern ? 'matches_wildcard' : 'is';
    case '!=':
      return isPattern ? 'matches_wildcard_not' : 'is_not';
    case '~':
      return 'contains';
    default:
      return 'contains_not';
  }
}

function hasWildcard(member: string): boolean {
  return /(^|[^\\])\*/.test(member);
}

/** Splits at every `separator` without a backslash before it. */
function splitUnescaped(text: string, separator: ';' | '|'): readonly string[] {
  const parts = [''];
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? '';
    if (character === separator) {
      parts.push('');
      continue;
    }
    const escaped = character === '\\' ? (text[index + 1] ?? '') : '';
    if (escaped !== '') index++;
    parts.push(`${parts.pop() ?? ''}${character}${escaped}`);
  }
  return parts;
}

function unescape(member: string): string {
  return member.replaceAll(/\\([;|*\\])/g, '$1');
}
