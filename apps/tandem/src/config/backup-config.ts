import { resolve } from 'node:path';
import { openStore, StorageError } from '@tandem/storage';
import type { Draft } from './draft.ts';
import { subjectOf, withoutPasswords, type GivenValue } from './given-value.ts';
import { dirname } from 'node:path';
import { SETTING_KEYS, type SettingKey } from './settings.ts';
import type { BackupConfig } from './tandem-config.ts';

const KEY_ID = 'backup.access-key-id-variable';
const KEY_SECRET = 'backup.secret-access-key-variable';
/** Stands for keys while only the address is looked at. */
const NO_CREDENTIALS = { accessKeyId: '-', secretAccessKey: '-' };

/** The backup; null when there is none, or after reporting what is wrong. */
export function backupConfigOf(draft: Draft): BackupConfig | null {
  const { values, env } = draft;
  const given = draft.given('backup.url');
  const configured = values['backup.url'];
  if (given === undefined || configured === null) {
    warnOfOrphans(draft);
    return null;
  }
  const url = absoluteUrl(configured, given, draft);
  const times = {
    intervalMs: values['backup.interval'],
    snapshotIntervalMs: values['backup.snapshot-interval'],
    retentionMs: values['backup.retention'],
  };
  try {
    openStore(url, { env, credentials: NO_CREDENTIALS });
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    const message = `${subjectOf(given)} is '${withoutPasswords(configured)}'. ${error.message}.`;
    const hint = error.hint ?? 'Write a path or an s3:// address.';
    draft.findings.error('config_bad_value', given, message, hint);
    return null;
  }
  if (!/^s3:/i.test(url)) return { url, credentials: null, ...times };
  const credentials = credentialsOf(draft);
  return credentials === undefined ? null : { url, credentials, ...times };
}

function absoluteUrl(text: string, given: GivenValue, draft: Draft): string {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text)) return text;
  const { origin } = given;
  return resolve(origin.kind === 'file' ? dirname(origin.file) : draft.machine.cwd, text);
}

function credentialsOf(draft: Draft): BackupConfig['credentials'] | undefined {
  const accessKeyId = secretOf(draft, KEY_ID, 'LITESTREAM_ACCESS_KEY_ID');
  const secretAccessKey = secretOf(draft, KEY_SECRET, 'LITESTREAM_SECRET_ACCESS_KEY');
  const sessionToken = draft.variable(draft.values['backup.session-token-variable']);
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/** Litestream's variable counts too, unless another was asked for. */
function secretOf(draft: Draft, key: typeof KEY_ID | typeof KEY_SECRET, other: string) {
  const name = draft.values[key];
  const isAsked = draft.given(key) !== undefined;
  const value = draft.variable(name) ?? (isAsked ? undefined : draft.variable(other));
  if (value === undefined) {
    draft.findings.error(
      'config_missing',
      draft.subject(key),
      `The backup needs credentials, but the variable ${name} is not set.`,
      `Set ${name}, or name another variable with ${key}.`,
    );
  }
  return value;
}

function warnOfOrphans(draft: Draft): void {
  const key = SETTING_KEYS.find((one: SettingKey) => one.startsWith('backup.') && draft.given(one));
  const given = key === undefined ? undefined : draft.given(key);
  if (given === undefined || draft.isGiven('backup.url')) return;
  const message = `${subjectOf(given)} has no effect: there is no backup.`;
  draft.findings.warn(given, message, 'Give backup.url too, or remove it.');
}
