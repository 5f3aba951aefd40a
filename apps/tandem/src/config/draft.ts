import { dirname } from 'node:path';
import { assert } from '@tandem/base';
import { scalarOf, textOf } from './config-node.ts';
import type { FileFormat } from './file-format.ts';
import type { Findings } from './findings.ts';
import { quoted, subjectOf, withoutPasswords, type GivenValue } from './given-value.ts';
import type { Machine } from './machine.ts';
import type { Origin } from './origin.ts';
import type { Environment, GivenValues } from './overriding-values.ts';
import { SETTING_ENTRIES, SETTINGS, type SettingKey, type SettingValues } from './settings.ts';

/** What a configuration is made from once all keys are read: the input of everything derived. */
export interface DraftSources {
  readonly filePath: string | null;
  readonly format: FileFormat;
  readonly given: GivenValues;
  readonly env: Environment;
  readonly machine: Machine;
  readonly findings: Findings;
}

/** A value as it is listed: text without secrets, and where it came from. */
export interface ShownValue {
  readonly text: string;
  readonly origin: Origin;
}

/** The values read so far, on which what is not given is worked out. */
export class Draft {
  readonly filePath: string | null;
  readonly format: FileFormat;
  readonly env: Environment;
  readonly machine: Machine;
  readonly findings: Findings;
  readonly values: SettingValues;
  readonly #given: GivenValues;
  readonly #shown = new Map<SettingKey, ShownValue>();

  /** Reads all values. One that cannot be read is reported, and counts as not given. */
  constructor(sources: DraftSources) {
    this.filePath = sources.filePath;
    this.format = sources.format;
    this.env = sources.env;
    this.machine = sources.machine;
    this.findings = sources.findings;
    this.#given = sources.given;
    const values: Partial<Record<SettingKey, unknown>> = {};
    for (const [key] of SETTING_ENTRIES) values[key] = this.#read(key);
    this.values = values as SettingValues;
  }

  /** What was given for a key; undefined when nothing was. */
  given(key: SettingKey): GivenValue | undefined {
    return this.#given.get(key);
  }

  /** Whether somebody gave a value, usable or not. */
  isGiven(key: SettingKey): boolean {
    return this.#given.has(key) || this.findings.hasErrorAbout(key);
  }

  /** What a note about the key should point to. */
  subject(key: SettingKey): GivenValue | SettingKey {
    return this.#given.get(key) ?? key;
  }

  /** Says where a value came from that was not given. */
  derive(key: SettingKey, text: string, from: string): void {
    this.#shown.set(key, { text: withoutPasswords(text), origin: { kind: 'derived', from } });
  }

  /** Says what holds by itself for a key whose default is not in the table. */
  settle(key: SettingKey, text: string): void {
    this.#shown.set(key, { text, origin: { kind: 'default' } });
  }

  /** The value of a variable, trimmed; undefined when it is not set or empty. */
  variable(name: string): string | undefined {
    const text = this.env[name]?.trim() ?? '';
    return text === '' ? undefined : text;
  }

  /** All values for a listing, in the order of the table. */
  shown(): ReadonlyMap<SettingKey, ShownValue> {
    return new Map(SETTING_ENTRIES.map(([key]) => [key, this.#shownValue(key)]));
  }

  #shownValue(key: SettingKey): ShownValue {
    const derived = this.#shown.get(key);
    if (derived !== undefined) return derived;
    const { isSecret, defaultText } = SETTINGS[key];
    const given = this.#given.get(key);
    if (given === undefined) return { text: defaultText ?? '', origin: { kind: 'default' } };
    const text = isSecret ? '(set)' : withoutPasswords(textOf(given.node));
    return { text, origin: given.origin };
  }

  #read(key: SettingKey): unknown {
    const { parse, defaultText, expects, example, isSecret } = SETTINGS[key];
    const given = this.#given.get(key);
    if (given !== undefined && !this.#isEmpty(key, given)) {
      const parsed = parse(given.node, { folder: this.#folderOf(given.origin) });
      if ('value' in parsed) return parsed.value;
      const message = `${subjectOf(given)} is ${quoted(given, isSecret)}, which ${parsed.problem}.`;
      const hint = `Write ${expects}, for example ${example}.`;
      this.findings.error('config_bad_value', given, message, hint);
    }
    if (defaultText === null) return null;
    const byDefault = parse(scalarOf(defaultText), { folder: '/' });
    assert('value' in byDefault, `the default of ${key} is valid`);
    return byDefault.value;
  }

  /** Reports a value that is nothing: it must not count as the default without a word. */
  #isEmpty(key: SettingKey, given: GivenValue): boolean {
    const { node } = given;
    if (node.kind !== 'scalar' || node.text.trim() !== '') return false;
    const { expects, defaultText } = SETTINGS[key];
    const [first] = node.variables;
    if (first === undefined) {
      const rest =
        defaultText === null ? 'or remove the line' : `or remove the line for ${defaultText}`;
      const message = `${subjectOf(given)} has no value.`;
      this.findings.error('config_bad_value', given, message, `Write ${expects}, ${rest}.`);
    } else {
      const message = `${subjectOf(given)} is '${node.written}', which comes to nothing.`;
      const hint = `Set ${first}, or give a default: '\${${first}:-VALUE}'.`;
      this.findings.error('config_bad_value', given, message, hint);
    }
    return true;
  }

  #folderOf(origin: Origin): string {
    return origin.kind === 'file' ? dirname(origin.file) : this.machine.cwd;
  }
}
