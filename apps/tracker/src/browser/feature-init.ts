import { globals, settings, start } from './kernel.ts';

const stub = globals.plausible;
let begun = false;

function begin(overrides?: Partial<typeof settings>): void {
  if (begun) return;
  begun = true;
  Object.assign(settings, overrides);
  start();
  if (globals.plausible) globals.plausible.init = begin;
}

// A page with the stub decides when to begin; a page with nothing but the script begins at once.
if (stub?.init && !stub.o) stub.init = begin;
else begin(stub?.o);
