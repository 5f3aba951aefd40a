import type { ConfigErrorCode } from './config-error.ts';
import { lineOf, quoted, subjectOf, type GivenValue } from './given-value.ts';

/** Something to tell about a configuration. With one of level `error` the daemon does not start. */
export interface ConfigNote {
  readonly level: 'error' | 'warning' | 'info';
  /** Given for errors only. */
  readonly code: ConfigErrorCode | null;
  /** The key, variable or flag it is about, as it was written. */
  readonly key: string | null;
  /** Its line in the configuration file. */
  readonly line: number | null;
  /** What is wrong, as a sentence. */
  readonly message: string;
  /** What to do about it, as a sentence; empty when there is nothing to do. */
  readonly hint: string;
}

/** What a note is about: a given value, the name of a key, or nothing in particular. */
export type Subject = GivenValue | string | null;

/** Collects what is found while a configuration is read. */
export class Findings {
  readonly #notes: ConfigNote[] = [];

  get notes(): readonly ConfigNote[] {
    return this.#notes;
  }

  get hasErrors(): boolean {
    return this.#notes.some(({ level }) => level === 'error');
  }

  /** Whether an error about that key is known already, so that what follows from it need not be told. */
  hasErrorAbout(key: string): boolean {
    return this.#notes.some((note) => note.level === 'error' && note.key === key);
  }

  error(code: ConfigErrorCode, subject: Subject, message: string, hint: string): void {
    this.#notes.push({ level: 'error', code, ...placeOf(subject), message, hint });
  }

  warn(subject: Subject, message: string, hint = ''): void {
    this.#notes.push({ level: 'warning', code: null, ...placeOf(subject), message, hint });
  }

  info(subject: Subject, message: string, hint = ''): void {
    this.#notes.push({ level: 'info', code: null, ...placeOf(subject), message, hint });
  }

  /** The value is one that its key cannot have; `problem` fits after 'which'. */
  badValue(given: GivenValue, problem: string, hint: string): void {
    const message = `${subjectOf(given)} is ${quoted(given)}, which ${problem}.`;
    this.error('config_bad_value', given, message, hint);
  }
}

function placeOf(subject: Subject): Pick<ConfigNote, 'key' | 'line'> {
  if (subject === null) return { key: null, line: null };
  if (typeof subject === 'string') return { key: subject, line: null };
  return { key: subject.name, line: lineOf(subject) };
}
