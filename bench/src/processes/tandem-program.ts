import { fileURLToPath } from 'node:url';

/** The command `tandem`, from the sources. */
export const TANDEM_PROGRAM = fileURLToPath(
  new URL('../../../apps/tandem/bin/tandem.js', import.meta.url),
);
