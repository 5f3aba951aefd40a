import { PageTable } from './page-table.ts';
import { ReplicationError } from './replication-error.ts';

/**
 * Opens the table at `path`, or begins it anew when it is missing, damaged or of another page size:
 * everything in it can be made from the database.
 */
export function openPageTable(path: string, pageSize: number): PageTable {
  try {
    const table = PageTable.open(path);
    if (table.pageSize === pageSize) return table;
    table.close();
  } catch (error) {
    if (!isOfTable(error)) throw error;
  }
  return PageTable.create(path, pageSize);
}

function isOfTable(error: unknown): boolean {
  if (!(error instanceof ReplicationError)) return false;
  return error.code === 'page_table_missing' || error.code === 'page_table_damaged';
}
