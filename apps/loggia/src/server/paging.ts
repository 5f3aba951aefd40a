import { HttpError } from '@loggia/contract';

/** Which part of a list a request wants: entries after or before one, by its key. */
export interface Paging {
  readonly limit: number;
  readonly after: string | undefined;
  readonly before: string | undefined;
}

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1000;

/**
 * Reads `limit`, `after` and `before`.
 *
 * @throws HttpError `bad_request`.
 */
export function readPaging(query: unknown): Paging {
  const { limit, after, before } = query as Readonly<Record<string, string | undefined>>;
  const count = limit === undefined ? LIMIT_DEFAULT : Number(limit);
  if (!Number.isInteger(count) || count < 1 || count > LIMIT_MAX) {
    throw new HttpError('bad_request', `'limit' is a whole number from 1 to ${LIMIT_MAX}.`);
  }
  return { limit: count, after, before };
}

/** The part of `entries` that `paging` asks for, in their order, and how to go on. */
export function pageOf<Item>(
  entries: readonly { readonly key: string; readonly item: Item }[],
  paging: Paging,
): { items: Item[]; meta: { after: string | null; before: string | null; limit: number } } {
  const { limit, after, before } = paging;
  const keys = entries.map((entry) => entry.key);
  let from = after === undefined ? 0 : keys.indexOf(after) + 1;
  let to = Math.min(from + limit, entries.length);
  const beforeAt = before === undefined ? -1 : keys.indexOf(before);
  if (beforeAt >= 0) {
    to = beforeAt;
    from = Math.max(0, to - limit);
  }
  return {
    items: entries.slice(from, to).map((entry) => entry.item),
    meta: {
      after: to < entries.length ? (keys[to - 1] ?? null) : null,
      before: from > 0 ? (keys[from] ?? null) : null,
      limit,
    },
  };
}
