import { expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';
import { tandemHint } from './unknown-key.ts';

const NAMES = ['listen', 'target', 'max-lag', 'passthrough'];

it.each([
  ['lisen', 'listen'],
  ['MAX_LAG', 'max-lag'],
  ['pasthrough', 'passthrough'],
  ['zzzzzz', undefined],
  ['', undefined],
])("the name nearest to '%s' is %s", (text, expected) => {
  expect(nearestName(text, NAMES)).toBe(expected);
});

it.each([
  ['database', 'Did you mean databases? If not, remove it.'],
  ['databases.foldr', 'Did you mean databases.folder? If not, remove it.'],
  ['token', 'Did you mean lease.consul.token or http.token? If not, remove it.'],
  ['token-file', 'Did you mean lease.kubernetes.token-file or http.token-file? If not, remove it.'],
  ['databases.folder', 'Write it as sections: databases: → folder:.'],
  ['fuse', 'There is no mount. Write databases.folder for the folder of the databases.'],
  ['lease.hostname', 'Write node.name for this node, or lease.static.primary for the primary.'],
  ['repair.zzzzzzzzzz', 'Remove it. The keys of repair are bytes-per-second.'],
])('%s in tandem.yml gets a hint', (path, hint) => {
  expect(tandemHint(path)).toBe(hint);
});
