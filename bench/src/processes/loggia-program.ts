import { fileURLToPath } from 'node:url';

/** The command `loggia`, from the sources. */
export const LOGGIA_PROGRAM = fileURLToPath(
  new URL('../../../apps/loggia/bin/loggia.js', import.meta.url),
);
