import { LeaseError, mustBeNodeName } from '@tandem/lease';
import type { Parsed } from './parsed.ts';

/** Reads a name that can tell one node from the others. */
export function parseNodeName(text: string): Parsed<string> {
  try {
    mustBeNodeName(text);
    return { value: text };
  } catch (error) {
    if (!(error instanceof LeaseError)) throw error;
    return { problem: 'cannot be the name of a node' };
  }
}

/** N of a name that ends in `-N`, as the names of a StatefulSet's pods do. */
export function ordinalOf(nodeName: string): number | undefined {
  const digits = /^.+-(?<ordinal>\d{1,6})$/.exec(nodeName)?.groups?.['ordinal'];
  return digits === undefined ? undefined : Number(digits);
}

/** What stands before `-N`. */
export function stemOf(nodeName: string): string | undefined {
  return /^(?<stem>.+)-\d{1,6}$/.exec(nodeName)?.groups?.['stem'];
}
