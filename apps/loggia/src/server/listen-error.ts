import { BaseError } from '@tandem/base';
import type { ListenAddress } from '../config/listen-address.ts';

/** Why the server cannot listen where it should. */
export const LISTEN_ERROR_CODES = {
  address_in_use: 'Another program listens on that address and port.',
  address_forbidden: 'The system does not let this user listen there.',
  address_unavailable: 'This machine has no such address.',
  listen_failed: 'The system refused to listen there for another reason.',
} as const;

export type ListenErrorCode = keyof typeof LISTEN_ERROR_CODES;

const CODE_OF_ERRNO = new Map<string, ListenErrorCode>([
  ['EADDRINUSE', 'address_in_use'],
  ['EACCES', 'address_forbidden'],
  ['EPERM', 'address_forbidden'],
  ['EADDRNOTAVAIL', 'address_unavailable'],
  ['EAFNOSUPPORT', 'address_unavailable'],
]);

const HINTS: Readonly<Record<ListenErrorCode, string>> = {
  address_in_use: 'Stop it, or choose another port: LOGGIA_LISTEN=127.0.0.1:8081.',
  address_forbidden: 'Choose a port above 1023: LOGGIA_LISTEN=127.0.0.1:8080.',
  address_unavailable: 'Listen on all addresses: LOGGIA_LISTEN=:8080.',
  listen_failed: 'Set LOGGIA_LISTEN to an address and port of this machine.',
};

/** The server cannot listen on the configured address. */
export class ListenError extends BaseError<ListenErrorCode> {
  override readonly name = 'ListenError';

  /** The reason behind what `listen` threw. */
  static of(cause: unknown, address: ListenAddress): ListenError {
    const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const code = CODE_OF_ERRNO.get(errno) ?? 'listen_failed';
    const where = address.kind === 'unix' ? address.path : `${address.host}:${address.port}`;
    const message = `Cannot listen on ${where}: ${LISTEN_ERROR_CODES[code]}`;
    return new ListenError(code, message, { cause, hint: HINTS[code] });
  }
}
