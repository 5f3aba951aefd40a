import { scalarOf } from './config-node.ts';
import type { Findings } from './findings.ts';
import { subjectOf, type GivenValue } from './given-value.ts';
import { LITEFS_KEYS } from './litefs-keys.ts';
import { translateLitefsLease } from './litefs-lease.ts';
import type { LitefsContext, LitefsValues } from './litefs-values.ts';
import type { GivenValues } from './overriding-values.ts';
import { parseBoolean } from './parse-text.ts';
import { duration } from './quantity.ts';
import type { SettingKey } from './settings.ts';

const NEVER = '8784h';

/**
 * The keys of `tandem.yml` that a `litefs.yml` amounts to, under the names and lines of the latter,
 * so that messages point to the file that was written.
 */
export function translateLitefs(
  known: LitefsValues,
  context: LitefsContext,
  findings: Findings,
): GivenValues {
  const given = withoutEmptyOnes(known, findings);
  const values = new Map<SettingKey, GivenValue>();
  for (const [path, value] of given) {
    const entry = LITEFS_KEYS.get(path);
    if (entry?.kind === 'same') values.set(entry.becomes, value);
    if (entry?.kind === 'ignored') {
      findings.info(value, `${subjectOf(value)} has no effect.`, entry.remark);
    }
  }
  translateRetention(given, values);
  translateLog(given, values, findings);
  translateBackup(given, values, findings);
  for (const [key, value] of translateLitefsLease(given, context, findings)) values.set(key, value);
  return values;
}

/** LiteFS takes an empty value for none, and so do we: except where that would choose a primary. */
function withoutEmptyOnes(known: LitefsValues, findings: Findings): LitefsValues {
  const kept = new Map<string, GivenValue>();
  for (const [path, value] of known) {
    const { node } = value;
    const isEmpty =
      node.kind === 'scalar' && node.text.trim() === '' && node.variables.length === 0;
    if (!isEmpty || path === 'lease.candidate') kept.set(path, value);
    else findings.info(value, `${subjectOf(value)} is empty, so the default holds.`);
  }
  return kept;
}

function translateRetention(given: LitefsValues, values: Map<SettingKey, GivenValue>): void {
  const sweep = given.get('data.retention-monitor-interval');
  if (sweep?.node.kind !== 'scalar') return;
  const parsed = duration({ min: -Infinity, max: Infinity })(sweep.node.text.trim(), {
    folder: '/',
  });
  if ('value' in parsed && parsed.value <= 0) {
    values.set('log-retention.age', { ...sweep, node: scalarOf(NEVER) });
  }
}

function translateLog(
  given: LitefsValues,
  values: Map<SettingKey, GivenValue>,
  findings: Findings,
): void {
  const debug = given.get('log.debug');
  if (debug?.node.kind !== 'scalar') return;
  const parsed = parseBoolean(debug.node.text.trim());
  if ('problem' in parsed) findings.badValue(debug, parsed.problem, 'Write true or false.');
  else if (parsed.value) values.set('log.level', { ...debug, node: scalarOf('debug') });
}

function translateBackup(
  given: LitefsValues,
  values: Map<SettingKey, GivenValue>,
  findings: Findings,
): void {
  const type = given.get('backup.type');
  const path = given.get('backup.path');
  if (type === undefined) {
    values.delete('backup.url');
    if (path !== undefined) {
      findings.warn(
        path,
        `${subjectOf(path)} has no effect without backup.type.`,
        "Add 'type: file'.",
      );
    }
    return;
  }
  const text = type.node.kind === 'scalar' ? type.node.text.trim() : '';
  if (text === 'litefs-cloud') {
    findings.error(
      'config_bad_value',
      type,
      `${subjectOf(type)} is 'litefs-cloud', a service that ended in October 2024.`,
      'Remove the section, and set TANDEM_BACKUP_URL to a path or an s3:// address.',
    );
  } else if (text !== 'file') {
    findings.badValue(type, 'is no kind of backup', "Write 'file', or remove the section.");
  } else if (path === undefined) {
    const message = `${subjectOf(type)} is 'file', but backup.path is not given.`;
    findings.error('config_missing', type, message, 'Add the path of the folder for backups.');
  }
}
