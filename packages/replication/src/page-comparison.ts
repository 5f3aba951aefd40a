import { pageChecksum, RollingChecksum, splitUint64, type LtxPage } from '@tandem/ltx';
import { ConsistentView } from './consistent-view.ts';
import type { DatabaseState } from './database-state.ts';
import type { OpenDatabase } from './open-database.ts';
import type { PageTable } from './page-table.ts';

/** Opens a view of the database as it is, uses it, and closes it. */
export function withView<Result>(
  open: OpenDatabase,
  { table: { pageSize } }: DatabaseState,
  use: (view: ConsistentView) => Result,
): Result {
  const view = ConsistentView.open(open, { pageSize, pageCount: open.pageCount() });
  try {
    return use(view);
  } finally {
    view.close();
  }
}

/** The numbers of the pages of the view that are not those of the table. Reads all of it. */
export function differingPages(view: ConsistentView, table: PageTable): number[] {
  const page = new Uint8Array(view.pageSize);
  const differing: number[] = [];
  for (const pgno of view.pgnos()) {
    view.readPage(pgno, page);
    if (!table.matches(pgno, page)) differing.push(pgno);
  }
  return differing;
}

/** Pages of a view; the data of one is overwritten when the next is asked for. */
export function* pagesOf(view: ConsistentView, pgnos: Iterable<number>): Generator<LtxPage> {
  const data = new Uint8Array(view.pageSize);
  for (const pgno of pgnos) {
    view.readPage(pgno, data);
    yield { pgno, data };
  }
}

/** Makes the table that of the database as it is. */
export function enterAll(open: OpenDatabase, state: DatabaseState): void {
  withView(open, state, (view) => {
    state.enter(pagesOf(view, differingPages(view, state.table)), view.pageCount);
  });
}

/** The rolling checksum of the view, which differs from the table in the pages of those numbers. */
export function checksumOf(
  view: ConsistentView,
  table: PageTable,
  pgnos: readonly number[],
): bigint {
  const rolling = new RollingChecksum(table.rollingChecksum);
  const forget = (pgno: number): void => {
    const { checksum } = table.get(pgno) ?? {};
    if (checksum === undefined) return;
    const [hi, lo] = splitUint64(checksum);
    rolling.toggle(hi, lo);
  };
  const words = new Uint32Array(2);
  for (const { pgno, data } of pagesOf(view, pgnos)) {
    forget(pgno);
    pageChecksum(pgno, data, words);
    rolling.toggle(words[0] ?? 0, words[1] ?? 0);
  }
  for (let pgno = view.pageCount + 1; pgno <= table.pageCount; pgno += 1) forget(pgno);
  return rolling.toBigInt();
}
