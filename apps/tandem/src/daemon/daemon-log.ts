import { pino, stdTimeFunctions, type Logger } from 'pino';
import type { TandemConfig } from '../config/tandem-config.ts';

/** The log of the daemon: one JSON object a line on standard error, or short lines for people. */
export function openLog({ format, level }: TandemConfig['log']): Logger {
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime };
  if (format === 'json') return pino(options, process.stderr);
  const write = (line: string): void => {
    const { time, level: number, msg, ...facts } = JSON.parse(line) as Record<string, unknown>;
    const rest = Object.entries(facts).map(([key, value]) => `${key}=${asText(value)}`);
    const label = pino.levels.labels[Number(number)] ?? 'info';
    process.stderr.write(`${String(time)} ${label} ${[String(msg), ...rest].join(' ')}\n`);
  };
  return pino(options, { write });
}

function asText(value: unknown): string {
  return typeof value === 'string' && !/[\s"]/.test(value) ? value : JSON.stringify(value);
}
