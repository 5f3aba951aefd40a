/** What passes between `RemoteStore` and `serveStore`: one request, one reply, told apart by id. */
import { type ErrorCode, ERROR_CODES, HttpError, type Statement } from '@loggia/contract';
import type { QueryOptions } from './event-store.ts';
import {
  WAREHOUSE_ERROR_CODES,
  WarehouseError,
  type WarehouseErrorCode,
} from './warehouse-error.ts';

export type StoreRequest =
  | {
      readonly kind: 'query';
      readonly id: number;
      readonly statement: Statement;
      readonly options: Omit<QueryOptions, 'signal'>;
    }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'status'; readonly id: number }
  | { readonly kind: 'follow'; readonly id: number }
  | { readonly kind: 'close'; readonly id: number };

export type StoreReply =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: StoreFailure }
  /** The thread is about to end because of this error. */
  | { readonly kind: 'crash'; readonly error: Error };

/** An error without its class, which does not survive the crossing. */
export interface StoreFailure {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly retryable: boolean;
}

export function encodeFailure(error: unknown): StoreFailure {
  if (error instanceof HttpError || error instanceof WarehouseError) {
    const { name, code, message, hint, retryable } = error;
    return { name, code, message, hint, retryable };
  }
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { name, code: '', message, hint: undefined, retryable: false };
}

/** The same error on the other side; one of no known class becomes `statement_failed`. */
export function decodeFailure(failure: StoreFailure): Error {
  const { name, code, message, retryable } = failure;
  const details = failure.hint === undefined ? { retryable } : { retryable, hint: failure.hint };
  if (name === 'HttpError' && isErrorCode(code)) return new HttpError(code, message, details);
  if (name === 'WarehouseError' && isWarehouseErrorCode(code)) {
    return new WarehouseError(code, message, details);
  }
  return new WarehouseError('statement_failed', `${name}: ${message}`);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

function isWarehouseErrorCode(code: string): code is WarehouseErrorCode {
  return Object.hasOwn(WAREHOUSE_ERROR_CODES, code);
}
