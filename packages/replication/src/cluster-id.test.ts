import {
  mkdtempDisposableSync,
  readFileSync,
  writeFileSync,
  type DisposableTempDir,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  judgeClusterId,
  mintClusterId,
  parseClusterId,
  readClusterId,
  writeClusterId,
  type ClusterIdFacts,
} from './cluster-id.ts';
import { ReplicationError } from './replication-error.ts';

const EMPTY: ClusterIdFacts = { local: undefined, hasData: false, onMismatch: 'refuse' };
const FULL: ClusterIdFacts = { local: 'ours', hasData: true, onMismatch: 'refuse' };

function temporaryFolder(): DisposableTempDir {
  return mkdtempDisposableSync(join(tmpdir(), 'tandem-cluster-id-'));
}

describe('mintClusterId', () => {
  it('writes random bytes as LiteFS does', () => {
    const id = mintClusterId(Uint8Array.of(0, 1, 2, 0xab, 0xcd, 0xef, 0x80, 0xff));
    expect(id).toBe('LFSC000102ABCDEF80FF');
    expect(parseClusterId(id)).toBe(id);
  });
});

describe('parseClusterId', () => {
  it('takes any visible text of up to 64 characters', () => {
    for (const id of ['a', 'LFSC0123456789ABCDEF', 'blog/production', '~'.repeat(64)]) {
      expect(parseClusterId(id)).toBe(id);
      expect(parseClusterId(`${id}\n`)).toBe(id);
      expect(parseClusterId(`${id}\r\n`)).toBe(id);
    }
  });

  it('refuses what could not travel in a header', () => {
    for (const text of ['', '\n', 'two words', 'a\nb', 'a\n\n', 'é', 'a\0', '~'.repeat(65)]) {
      expect(() => parseClusterId(text)).toThrow(ReplicationError);
    }
  });
});

describe('the kept id', () => {
  it('is none in a new folder, and then the one that was written', () => {
    using folder = temporaryFolder();
    expect(readClusterId(folder.path)).toBeUndefined();
    writeClusterId(folder.path, 'blog');
    expect(readClusterId(folder.path)).toBe('blog');
    expect(readFileSync(join(folder.path, 'clusterid'), 'utf8')).toBe('blog\n');
  });

  it('is not guessed from a damaged file', () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'clusterid'), '');
    const path = join(folder.path, 'clusterid');
    expect(() => readClusterId(folder.path)).toThrow(
      expect.objectContaining({ code: 'bad_cluster_id', hint: expect.stringContaining(path) }),
    );
  });

  it('is never one that could not be read back', () => {
    using folder = temporaryFolder();
    expect(() => writeClusterId(folder.path, 'two words')).toThrow(ReplicationError);
    expect(readClusterId(folder.path)).toBeUndefined();
  });
});

describe('judgeClusterId', () => {
  it('mints where nobody has an id, with or without data', () => {
    expect(judgeClusterId(EMPTY)).toEqual({ kind: 'mint' });
    expect(judgeClusterId({ ...FULL, local: undefined })).toEqual({ kind: 'mint' });
  });

  it('keeps the own id where nobody else has one', () => {
    expect(judgeClusterId(FULL)).toEqual({ kind: 'match', id: 'ours' });
    expect(judgeClusterId({ ...EMPTY, local: 'ours' })).toEqual({ kind: 'match', id: 'ours' });
  });

  it('keeps an id that the lease store or the primary confirms', () => {
    expect(judgeClusterId({ ...FULL, lease: 'ours' })).toEqual({ kind: 'match', id: 'ours' });
    expect(judgeClusterId({ ...FULL, primary: 'ours' })).toEqual({ kind: 'match', id: 'ours' });
  });

  it('lets an empty node adopt the id of the cluster, even in the place of another', () => {
    expect(judgeClusterId({ ...EMPTY, lease: 'x' })).toEqual({ kind: 'adopt', id: 'x' });
    expect(judgeClusterId({ ...EMPTY, primary: 'x' })).toEqual({ kind: 'adopt', id: 'x' });
    expect(judgeClusterId({ ...EMPTY, local: 'ours', primary: 'x' })).toEqual({
      kind: 'adopt',
      id: 'x',
    });
  });

  it('sets the data of another cluster aside where that is the setting', () => {
    const verdict = judgeClusterId({ ...FULL, primary: 'x', onMismatch: 'set-aside' });
    expect(verdict).toMatchObject({ kind: 'set-aside', id: 'x' });
    expect(verdict).toHaveProperty('sentence', expect.stringMatching(/ours.*x.*quarantine/));
  });

  it('refuses otherwise, naming both and the way out', () => {
    const verdict = judgeClusterId({ ...FULL, lease: 'x' });
    expect(verdict).toMatchObject({ kind: 'refuse' });
    expect(verdict).toHaveProperty('sentence', expect.stringMatching(/ours.*x.*set aside/));
  });

  it('takes data without an id for that of another cluster', () => {
    expect(judgeClusterId({ ...FULL, local: undefined, lease: 'x' })).toMatchObject({
      kind: 'refuse',
      sentence: expect.stringContaining('belongs to no cluster'),
    });
  });

  it('refuses when the lease store and the primary disagree, whatever this node has', () => {
    for (const facts of [EMPTY, FULL, { ...FULL, local: 'x', onMismatch: 'set-aside' as const }]) {
      const verdict = judgeClusterId({ ...facts, lease: 'x', primary: 'y' });
      expect(verdict).toMatchObject({ kind: 'refuse' });
      expect(verdict).toHaveProperty('sentence', expect.stringMatching(/x.*y/));
    }
  });

  it('never gives data another id unless it was set aside, and settles once it is acted on', () => {
    const id = fc.option(fc.constantFrom('a', 'b'), { nil: undefined });
    const facts = fc.record({
      local: id,
      hasData: fc.boolean(),
      lease: id,
      primary: id,
      onMismatch: fc.constantFrom('set-aside' as const, 'refuse' as const),
    });
    fc.assert(
      fc.property(facts, (given) => {
        const verdict = judgeClusterId(given);
        if (verdict.kind === 'adopt') expect(given.hasData).toBe(false);
        if (verdict.kind === 'set-aside') expect(given.onMismatch).toBe('set-aside');
        if (verdict.kind === 'refuse' || verdict.kind === 'mint') return;
        const hasData = given.hasData && verdict.kind !== 'set-aside';
        const after = { ...given, local: verdict.id, hasData };
        expect(judgeClusterId(after)).toEqual({ kind: 'match', id: verdict.id });
      }),
    );
  });
});
