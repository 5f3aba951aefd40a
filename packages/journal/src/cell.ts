import type { SQLOutputValue } from 'node:sqlite';
import { assert } from '@tandem/base';

/** A cell's value as what its column holds; anything else is a broken schema. */
export function textOf(value: SQLOutputValue | undefined): string {
  assert(typeof value === 'string', 'the column holds text');
  return value;
}

export function textOrNullOf(value: SQLOutputValue | undefined): string | null {
  return value === null ? null : textOf(value);
}

export function integerOf(value: SQLOutputValue | undefined): number {
  assert(typeof value === 'number', 'the column holds an integer');
  return value;
}

export function integerOrNullOf(value: SQLOutputValue | undefined): number | null {
  return value === null ? null : integerOf(value);
}

export function bytesOf(value: SQLOutputValue | undefined): Uint8Array {
  assert(value instanceof Uint8Array, 'the column holds bytes');
  return value;
}

const words = new Int32Array(2);
const wide = new BigInt64Array(words.buffer);
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * The 64-bit integer whose upper and lower halves a SELECT returned as numbers. `node:sqlite` reads
 * either all integers of a statement as bigint or none.
 */
export function int64Of(
  upper: SQLOutputValue | undefined,
  lower: SQLOutputValue | undefined,
): bigint {
  words[LITTLE_ENDIAN ? 1 : 0] = integerOf(upper);
  words[LITTLE_ENDIAN ? 0 : 1] = integerOf(lower);
  const value = wide[0];
  assert(value !== undefined, 'the scratch holds one integer');
  return value;
}
