/** A sum of money: thousandths of one unit of an ISO 4217 currency. */
export interface Revenue {
  readonly milli: number;
  readonly currency: string;
}

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i;
const AMOUNT_LENGTH_MAX = 60;

/** The sum that `amount` and `currency` name, or null when either is not one. */
export function parseRevenue(amount: unknown, currency: unknown): Revenue | null {
  if (typeof currency !== 'string') return null;
  const code = currency.trim().toUpperCase();
  if (!CURRENCIES.has(code)) return null;
  const milli = milliOf(amount);
  return milli === null ? null : { milli, currency: code };
}

/**
 * Thousandths of a decimal number, exactly, half away from zero. A number counts as the shortest
 * decimal that names it, so 1.0005 is 1.001 although its binary value is a little less.
 *
 * @returns null for what is not a decimal number, and past the integers that a double holds.
 */
export function milliOf(amount: unknown): number | null {
  if (typeof amount !== 'number' && typeof amount !== 'string') return null;
  const text = String(amount).trim();
  const match = text.length > AMOUNT_LENGTH_MAX ? null : DECIMAL.exec(text);
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  if (digits === '') return null;
  const magnitude = scaledDigits(digits, 3 + Number(exponent) - fraction.length);
  const milli = Number(magnitude);
  if (!Number.isSafeInteger(milli)) return null;
  return sign === '-' && milli !== 0 ? -milli : milli;
}

/** `digits` times ten to the power of `shift`, rounded half up. */
function scaledDigits(digits: string, shift: number): bigint {
  if (shift >= 0) return BigInt(digits + '0'.repeat(shift));
  const kept = digits.slice(0, shift);
  const firstDropped = digits.at(shift) ?? '0';
  return BigInt(kept === '' ? '0' : kept) + (firstDropped >= '5' ? 1n : 0n);
}
