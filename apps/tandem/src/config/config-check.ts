import type { ConfigNote } from './findings.ts';
import { formatOrigin } from './origin.ts';
import type { ConfigReport } from './resolve-config.ts';

/** What `tandem config check` prints, and its exit code: 0 when the daemon would start, else 1. */
export interface ConfigCheck {
  readonly output: string;
  readonly exitCode: 0 | 1;
}

/** The values with their origins, and all notes, as text or as one JSON object. */
export function formatConfigCheck(report: ConfigReport, isJson: boolean): ConfigCheck {
  const output = isJson ? asJson(report) : asText(report);
  return { output, exitCode: report.config === null ? 1 : 0 };
}

/** A note as one line: level, what is wrong, what to do. */
export function formatNote({ level, message, hint }: ConfigNote): string {
  return `${level}: ${hint === '' ? message : `${message} ${hint}`}`;
}

function asJson({ config, notes, values, filePath, format }: ConfigReport): string {
  const listed = Object.fromEntries(
    [...values].map(([key, { text, origin }]) => [
      key,
      { value: text, origin: formatOrigin(origin) },
    ]),
  );
  return JSON.stringify({ ok: config !== null, file: filePath, format, values: listed, notes });
}

function asText({ config, notes, values, filePath, format }: ConfigReport): string {
  const rows = [...values].map(([key, { text, origin }]) => [
    key,
    text === '' ? '-' : text.replaceAll('\n', ' '),
    formatOrigin(origin),
  ]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const table = rows.map(([key = '', text = '', origin = '']) =>
    `${key.padEnd(widths[0] ?? 0)}  ${text.padEnd(Math.min(widths[1] ?? 0, 48))}  ${origin}`.trimEnd(),
  );
  const errors = notes.filter(({ level }) => level === 'error').length;
  const verdict =
    config === null
      ? `The configuration cannot be used: ${errors} ${errors === 1 ? 'error' : 'errors'}.`
      : 'The configuration can be used.';
  return [
    filePath === null ? 'No configuration file.' : `${filePath} (as ${format}.yml)`,
    '',
    ...table,
    '',
    ...notes.map((note) => formatNote(note)),
    ...(notes.length === 0 ? [] : ['']),
    verdict,
  ].join('\n');
}
