import { type DuckDBType, DuckDBTypeId, type DuckDBValue, mapValue } from '@duckdb/node-api';
import { WarehouseError } from './warehouse-error.ts';

/** Turns a value of the journal into the engine's value for one column. */
export type EncodeValue = (value: unknown) => DuckDBValue;

const ENCODERS: ReadonlyMap<DuckDBTypeId, EncodeValue> = new Map<DuckDBTypeId, EncodeValue>([
  [DuckDBTypeId.BIGINT, encodeBigint],
  [DuckDBTypeId.INTEGER, encodeNumber],
  [DuckDBTypeId.TINYINT, encodeNumber],
  [DuckDBTypeId.VARCHAR, encodeText],
  [DuckDBTypeId.MAP, encodeProperties],
]);

/**
 * The encoder of a column type of the two tables.
 *
 * @throws WarehouseError `bad_row` from the encoder when the value is of a wrong kind
 */
export function encoderOf(type: DuckDBType): EncodeValue {
  const encode = ENCODERS.get(type.typeId);
  if (encode === undefined) throw badValue(`a column of type ${type.toString()} has no encoder`);
  return encode;
}

function encodeBigint(value: unknown): DuckDBValue {
  if (typeof value === 'bigint' || value === null) return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw badValue(`${describe(value)} where an integer belongs`);
}

function encodeNumber(value: unknown): DuckDBValue {
  if (value === null) return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw badValue(`${describe(value)} where an integer belongs`);
}

function encodeText(value: unknown): DuckDBValue {
  if (typeof value === 'string' || value === null) return value;
  throw badValue(`${describe(value)} where text belongs`);
}

function encodeProperties(value: unknown): DuckDBValue {
  if (value === null) return null;
  const parsed = typeof value === 'string' ? tryParse(value) : undefined;
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw badValue(`${describe(value)} where properties belong`);
  }
  return mapValue(Object.entries(parsed).map(([key, item]) => ({ key, value: String(item) })));
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describe(value: unknown): string {
  return typeof value === 'string' ? 'a text' : `a value of type ${typeof value}`;
}

function badValue(what: string): WarehouseError {
  return new WarehouseError('bad_row', `The journal holds ${what}.`);
}
