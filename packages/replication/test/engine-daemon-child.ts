import { writeSync } from 'node:fs';
import { CaptureLoop } from '../src/capture-loop.ts';
import { follow, openNode } from './engine-nodes.ts';

/** A primary and its replica in one process, for ever: what applications commit arrives at once. */
const [home = '', other = '', epoch = '1'] = process.argv.slice(2);
writeSync(1, 'armed\n');
const primary = openNode(home, { busyTimeoutMs: 5000 });
const replica = openNode(other);
primary.becomePrimary(Number(epoch));
const loop = new CaptureLoop({
  onCommit: () => {},
  onError: (_, error) => {
    throw error;
  },
});
loop.add(primary);
for (;;) {
  await follow(primary, replica);
  writeSync(1, `has ${replica.position().txid} ${other}\n`);
  await new Promise((resolve) => setTimeout(resolve, 2));
}
