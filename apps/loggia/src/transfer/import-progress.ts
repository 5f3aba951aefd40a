import type { Journal } from '@loggia/journal';
import { ImportError } from './import-error.ts';

/** How far the import of one file has come. */
export interface ImportProgress {
  /** Bytes of the content, decompressed, of which every record has been looked at. */
  readonly bytes: number;
  /** Of those bytes, in hex. The same content under another name is the same file. */
  readonly sha256: string;
  /** The number of those records. */
  readonly records: number;
  /** Numbers of records among them that are not written yet. */
  readonly pending: readonly number[];
  /** Whether the file's end was reached. */
  readonly isDone: boolean;
  /** What became of the records. */
  readonly counts: Readonly<Record<string, number>>;
  readonly savedMs: number;
}

/** Progress with the name under which it is kept. */
export interface NamedProgress {
  readonly name: string;
  readonly progress: ImportProgress | undefined;
}

const PREFIX = 'import';

/**
 * What has been imported, kept as settings of the journal: progress is committed together with the
 * rows it tells of, and goes with them into backups.
 */
export class ImportLedger {
  readonly #journal: Journal;
  /** What kind of import, and into which site. */
  readonly #scope: string;
  /** What this process knows to be stored, by name. */
  readonly #stored = new Map<string, string | undefined>();

  constructor(journal: Journal, scope: string) {
    this.#journal = journal;
    this.#scope = scope;
  }

  /** All that is known of earlier imports of this scope. */
  list(): readonly (NamedProgress & { readonly progress: ImportProgress })[] {
    return this.#journal.settings.entries(`${PREFIX} ${this.#scope} `).map(([name, value]) => {
      this.#stored.set(name, value);
      return { name, progress: JSON.parse(value) as ImportProgress };
    });
  }

  /** The name for the progress of a file that has been met for the first time. */
  nameFor(sha256: string): string {
    return `${PREFIX} ${this.#scope} ${sha256.slice(0, 32)}`;
  }

  /**
   * Stores the progress, within the transaction that writes the rows.
   *
   * @throws ImportError `import_busy` when somebody else has changed it since this process knew it.
   */
  save(name: string, progress: ImportProgress): void {
    if (this.#journal.settings.get(name) !== this.#stored.get(name)) {
      throw new ImportError('import_busy', 'The same file is being imported by another process', {
        hint: 'Wait for that one. Nothing was imported twice.',
      });
    }
    const value = JSON.stringify(progress);
    this.#journal.settings.set(name, value);
    this.#stored.set(name, value);
  }
}
