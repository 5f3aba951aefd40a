import { writeFileSync } from 'node:fs';

import { buildScriptParts, moduleOf } from './script-parts-build.ts';

writeFileSync(
  new URL('../generated/script-parts.ts', import.meta.url),
  moduleOf(await buildScriptParts()),
);
