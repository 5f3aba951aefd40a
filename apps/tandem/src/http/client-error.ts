import { BaseError, type ErrorDetails } from '@tandem/base';

/** What can go wrong for a client of a node's HTTP interface. */
export const TANDEM_CLIENT_ERROR_CODES = {
  node_unreachable: 'No node answers at the address.',
  node_refused: 'The node refused the request; its own code says why.',
  node_answer: 'What answered at the address is not a node of Tandem, or broke off.',
  export_damaged: 'What arrived is not the whole, sound database; the old file is untouched.',
  export_in_use: 'The old file is in use by another program, so it is not replaced.',
  export_failed: 'The exported file cannot be written; the old file is untouched.',
  import_source: 'The file to import cannot be read, or is not a SQLite database.',
} as const;

export type ClientErrorCode = keyof typeof TANDEM_CLIENT_ERROR_CODES;

interface ClientErrorDetails extends ErrorDetails {
  /** The code of the node's answer, one of `TANDEM_HTTP_ERROR_CODES`. */
  readonly nodeCode?: string;
}

/** A request to a node that did not come to what it should. */
export class ClientError extends BaseError<ClientErrorCode> {
  override readonly name = 'ClientError';
  readonly nodeCode: string | undefined;

  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(code, message, details);
    this.nodeCode = details.nodeCode;
  }
}
