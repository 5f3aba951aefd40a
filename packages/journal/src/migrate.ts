import { integerOf } from './cell.ts';
import type { Connection } from './connection.ts';
import { JournalError } from './journal-error.ts';
import { MIGRATIONS } from './migrations.ts';

/** Called with a step's name just after the step; tests end the process there. */
export type OnMigrationStep = (step: string) => void;

/** 'Logg' in ASCII: tells a journal from another program's SQLite database. */
export const APPLICATION_ID = 0x4c6f6767;

/**
 * Brings the database to the newest version. Invariant J1: each migration is one transaction
 * together with its number, so a process that dies leaves a database of some version, never one
 * between two. Any number of processes may call this at once.
 *
 * @throws JournalError `journal_newer`, `journal_older` (only when read-only), `journal_unreadable`.
 */
export function migrate(connection: Connection, onStep: OnMigrationStep): void {
  if (connection.readOnly) {
    refuseStranger(connection);
    if (versionOf(connection) === MIGRATIONS.length) return;
    throw new JournalError('journal_older', `${connection.path} has not been migrated yet`, {
      hint: 'Start this version of the server once; it migrates the database.',
    });
  }
  prepareFile(connection, onStep);
  while (versionOf(connection) < MIGRATIONS.length) {
    connection.transaction(() => applyNext(connection, onStep));
    onStep(`committed ${versionOf(connection)}`);
  }
  refuseStranger(connection);
}

/** Invariant J3: what must be set before the first table, and the mode that every writer needs. */
function prepareFile(connection: Connection, onStep: OnMigrationStep): void {
  refuseStranger(connection);
  onStep('opened');
  if (connection.query('PRAGMA journal_mode').get()?.[0] === 'wal') return;
  connection.execute('PRAGMA auto_vacuum = INCREMENTAL');
  connection.executePatiently('PRAGMA journal_mode = WAL');
  onStep('write-ahead log on');
}

function applyNext(connection: Connection, onStep: OnMigrationStep): void {
  // Another process may have been faster while this one waited for the lock.
  const migration = MIGRATIONS[versionOf(connection)];
  if (migration === undefined) return;
  const version = versionOf(connection) + 1;
  onStep(`begun ${version} ${migration.name}`);
  for (const [index, statement] of migration.statements.entries()) {
    connection.execute(statement);
    onStep(`applied ${version} ${migration.name} statement ${index + 1}`);
  }
  connection.execute(`PRAGMA application_id = ${APPLICATION_ID}`);
  connection.execute(`PRAGMA user_version = ${version}`);
  onStep(`numbered ${version}`);
}

function versionOf(connection: Connection): number {
  return connection.readInteger('user_version');
}

/** Refuses a database that is not a journal, and one that this version does not know. */
function refuseStranger(connection: Connection): void {
  const { applicationId, version, tableCount } = connection.snapshot(() => ({
    applicationId: connection.readInteger('application_id'),
    version: versionOf(connection),
    tableCount: integerOf(connection.query('SELECT count(*) FROM sqlite_schema').get()?.[0]),
  }));
  const empty = applicationId === 0 && version === 0 && tableCount === 0;
  if (!empty && applicationId !== APPLICATION_ID) {
    throw new JournalError('journal_unreadable', `${connection.path} belongs to another program`, {
      hint: 'Point the data folder somewhere else, or move that file away.',
    });
  }
  if (version > MIGRATIONS.length) {
    throw new JournalError(
      'journal_newer',
      `${connection.path} has version ${version}; this program knows ${MIGRATIONS.length}`,
      { hint: 'Run the newer version again, or restore the backup made before the upgrade.' },
    );
  }
}
