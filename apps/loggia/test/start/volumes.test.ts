import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TestServer } from '../test-server.ts';
import { Mounts } from './mounts.ts';
import { makeSite, success, trial } from './proof.ts';
import { WorkFolder, need } from './surroundings.ts';

const OVERLAY =
  'mkdir $W/lower $W/upper $W/work; ' +
  'mount -t overlay -o lowerdir=$W/lower,upperdir=$W/upper,workdir=$W/work overlay $D';
const TRY_OVERLAY = [
  'unshare',
  '--mount',
  'sh',
  '-c',
  `set -e; mount -t tmpfs tmpfs /mnt; W=/mnt; D=/mnt/d; mkdir $D; ${OVERLAY}`,
];

/** Each makes `$D` another kind of volume; `$W` is scratch space. */
const VOLUMES = [
  ['a bind mount', 'mkdir $W/source; mount --bind $W/source $D'],
  ['a tmpfs', 'mount -t tmpfs tmpfs $D'],
  ['an overlay', OVERLAY],
] as const;

for (const [name, script] of VOLUMES) {
  it(`the data folder may be ${name}, at the first start and the next`, async (context) => {
    if (name === 'an overlay') need(context, 'overlay', TRY_OVERLAY);
    using folder = new WorkFolder();
    const dataDir = join(folder.path, 'data');
    mkdirSync(dataDir);
    using mounts = await Mounts.make(context, `D=${dataDir}; W=${folder.path}; ${script}`);
    for (const pageviewsBefore of [0, 1]) {
      await using server = await TestServer.start({
        dataDir,
        under: mounts.under,
      });
      const key = makeSite(server, mounts.under);
      expect(await trial(server, key)).toEqual(success(pageviewsBefore + 1));
    }
  });
}
