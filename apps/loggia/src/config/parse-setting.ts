import { isAbsolute, resolve } from 'node:path';
import { nearestName } from './nearest-name.ts';
import type { ParseContext, Parsed } from './parsed.ts';

const BYTES_OF_UNIT: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};
const MS_OF_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6 };

type Parse<Value> = (text: string, context: ParseContext) => Parsed<Value>;

/** A whole number between two bounds, both included; `20_000` may be written so. */
export function wholeNumber(min: number, max: number): Parse<number> {
  return (text) => {
    if (!/^\d[\d_]*$/.test(text)) return { problem: 'is not a whole number' };
    return within(Number(text.replaceAll('_', '')), { min, max, unit: '' });
  };
}

/** A number of bytes such as `512MB` or `1GiB`. */
export function byteCount(bytesMin: number, bytesMax: number): Parse<number> {
  return (text) => {
    const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text);
    const factor = BYTES_OF_UNIT[match?.[2]?.toLowerCase() ?? ''];
    if (match === null || factor === undefined) {
      return { problem: 'is not a size with a unit (KB, MB, GB, KiB, MiB, GiB)' };
    }
    const bytes = Math.round(Number(match[1]) * factor);
    return within(bytes, { min: bytesMin, max: bytesMax, unit: ' bytes' });
  };
}

/** A length of time such as `500ms`, `30s` or `5m`, in milliseconds. */
export function duration(msMin: number, msMax: number): Parse<number> {
  return (text) => {
    const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text);
    const factor = MS_OF_UNIT[match?.[2]?.toLowerCase() ?? ''];
    if (match === null || factor === undefined) {
      return { problem: 'is not a time with a unit (ms, s, m, h)' };
    }
    return within(Math.round(Number(match[1]) * factor), { min: msMin, max: msMax, unit: ' ms' });
  };
}

/** One of a few words, whatever its case. */
export function oneOf<Word extends string>(words: readonly Word[]): Parse<Word> {
  return (text) => {
    const found = words.find((word) => word === text.toLowerCase());
    if (found !== undefined) return { value: found };
    const nearest = nearestName(text, words);
    const meant = nearest === undefined ? '' : ` (did you mean '${nearest}'?)`;
    return { problem: `is none of ${words.join(', ')}${meant}` };
  };
}

/** `on` or `off`; the other usual spellings are understood. */
export function onOrOff(text: string): Parsed<boolean> {
  const word = text.toLowerCase();
  if (['on', 'true', 'yes', '1'].includes(word)) return { value: true };
  if (['off', 'false', 'no', '0'].includes(word)) return { value: false };
  return { problem: 'is neither on nor off' };
}

/** An absolute path; a relative one begins at the context's folder. */
export function path(text: string, context: ParseContext): Parsed<string> {
  if (text.includes('\0')) return { problem: 'contains a zero byte' };
  return { value: isAbsolute(text) ? resolve(text) : resolve(context.folder, text) };
}

/** The name of an HTTP header, in lower case. */
export function headerName(text: string): Parsed<string> {
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/i.test(text)) return { problem: 'is not the name of a header' };
  return { value: text.toLowerCase() };
}

/** Null for the word `word`, otherwise what `parse` makes of the text. */
export function unless<Value>(word: string, parse: Parse<Value>): Parse<Value | null> {
  return (text, context) => (text.toLowerCase() === word ? { value: null } : parse(text, context));
}

function within(
  value: number,
  bounds: { readonly min: number; readonly max: number; readonly unit: string },
): Parsed<number> {
  if (value >= bounds.min && value <= bounds.max) return { value };
  return { problem: `is not between ${bounds.min} and ${bounds.max}${bounds.unit}` };
}
