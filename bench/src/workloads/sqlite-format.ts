import { assert } from '@tandem/base';
import {
  WAL_HEADER_BYTES,
  WAL_INDEX_BLOCK_BYTES,
  WAL_INDEX_FIRST_BLOCK_FRAMES,
  WalChecksum,
  WalIndexBlock,
  WalScanner,
  encodeFrame,
  encodeWalHeader,
  frameOffset,
  walStart,
  type WalHeader,
} from '@tandem/sqlite-format';
import { measurementOf } from '../spread.ts';
import { defineWorkload, type Measurement } from '../workload.ts';

const PAGE_SIZES = [512, 4096, 65_536];
/** Every so many frames one commits. */
const FRAMES_PER_TRANSACTION = 4;
/** A round takes this much processor time at least. */
const ROUND_US = 150_000;

/** A WAL as SQLite would have written it, in memory. */
interface SampleWal {
  readonly header: WalHeader;
  readonly frameCount: number;
  readonly bytes: Uint8Array;
}

/** How fast a WAL is verified, written and indexed, beside how fast its bytes are copied. */
export const sqliteFormat = defineWorkload({
  name: 'sqlite-format',
  summary: 'MB/s of the WAL checksum, of scanning and of encoding frames, in one thread',
  setUp: ({ quick }) => ({
    wals: PAGE_SIZES.map((pageSize) => makeWal(pageSize, quick ? 4_000_000 : 64_000_000)),
    rounds: quick ? 2 : 7,
  }),
  measure: ({ wals, rounds }) => [
    ...wals.flatMap((wal) => [
      copySpeed(wal, rounds),
      checksumSpeed(wal, rounds, false),
      checksumSpeed(wal, rounds, true),
      scanSpeed(wal, rounds),
      encodeSpeed(wal, rounds),
    ]),
    indexSpeed(rounds),
  ],
});

function makeWal(pageSize: number, bytesWanted: number): SampleWal {
  const frameCount = Math.floor(bytesWanted / (pageSize + 24));
  const bytes = new Uint8Array(frameOffset(frameCount + 1, pageSize));
  const fields = { pageSize, checkpointSequence: 1, salt1: 2, salt2: 3 };
  const header = encodeWalHeader({ ...fields, isBigEndianChecksum: false }, bytes);
  const page = Uint8Array.from({ length: pageSize }, (_, index) => index * 31);
  encodeAll({ header, frameCount, bytes }, () => page);
  return { header, frameCount, bytes };
}

function encodeAll(wal: SampleWal, pageAt: (offset: number) => Uint8Array): void {
  const { header, frameCount, bytes } = wal;
  const checksum = new WalChecksum(header.checksum1, header.checksum2);
  const run = { generation: header, checksum };
  for (let frame = 1; frame <= frameCount; frame += 1) {
    const offset = frameOffset(frame, header.pageSize);
    const commit = frame % FRAMES_PER_TRANSACTION === 0 ? frameCount : 0;
    encodeFrame(bytes, offset, { pgno: frame, commit, page: pageAt(offset) }, run);
  }
}

function copySpeed(wal: SampleWal, rounds: number): Measurement {
  const into = new Uint8Array(wal.bytes.length);
  return speedOf('copy, for comparison', wal, rounds, () => into.set(wal.bytes));
}

function checksumSpeed(wal: SampleWal, rounds: number, isBigEndian: boolean): Measurement {
  const { header, frameCount, bytes } = wal;
  const checksum = new WalChecksum();
  const order = isBigEndian ? 'big-endian' : 'little-endian';
  return speedOf(`checksum, ${order}`, wal, rounds, () => {
    for (let frame = 1; frame <= frameCount; frame += 1) {
      const start = frameOffset(frame, header.pageSize) + 24;
      checksum.update(bytes, start, start + header.pageSize, isBigEndian);
    }
  });
}

function scanSpeed(wal: SampleWal, rounds: number): Measurement {
  const { header, frameCount, bytes } = wal;
  const frames = bytes.subarray(WAL_HEADER_BYTES);
  return speedOf('scan', wal, rounds, () => {
    const { transactions, end } = new WalScanner(header, walStart(header)).push(frames, 1);
    const expected = Math.floor(frameCount / FRAMES_PER_TRANSACTION);
    assert(end === 'input' && transactions.length === expected, 'the whole WAL is verified');
  });
}

function encodeSpeed(wal: SampleWal, rounds: number): Measurement {
  const { pageSize } = wal.header;
  const into = { ...wal, bytes: new Uint8Array(wal.bytes.length) };
  return speedOf('encode', wal, rounds, () => {
    encodeAll(into, (offset) => wal.bytes.subarray(offset + 24, offset + 24 + pageSize));
    const last = wal.bytes.length - pageSize;
    assert(into.bytes[last] === wal.bytes[last], 'the frames are alike');
  });
}

function indexSpeed(rounds: number): Measurement {
  const bytes = new Uint8Array(WAL_INDEX_BLOCK_BYTES);
  const samples = timesOf(rounds, () => {
    const block = new WalIndexBlock(0, bytes);
    for (let frame = 1; frame <= WAL_INDEX_FIRST_BLOCK_FRAMES; frame += 1) {
      block.append(frame, 1 + ((frame * 7919) % 5000));
    }
  }).map((seconds) => WAL_INDEX_FIRST_BLOCK_FRAMES / seconds);
  return measurementOf({ measure: 'wal-index entries', unit: '1/s' }, samples);
}

function speedOf(
  measure: string,
  { header, bytes }: SampleWal,
  rounds: number,
  work: () => void,
): Measurement {
  const samples = timesOf(rounds, work).map((seconds) => bytes.length / 1e6 / seconds);
  const parameters = { page_bytes: header.pageSize };
  return measurementOf({ measure, unit: 'MB/s', parameters }, samples);
}

/**
 * Seconds of this thread's processor time for doing the work once, in each round, after one to warm
 * up. Linux counts that time in steps of some milliseconds, so that a round repeats the work.
 */
function timesOf(rounds: number, work: () => void): number[] {
  return Array.from({ length: rounds + 1 }, () => {
    const before = process.threadCpuUsage();
    for (let repeats = 1; ; repeats += 1) {
      work();
      const { user, system } = process.threadCpuUsage(before);
      if (user + system >= ROUND_US) return (user + system) / 1e6 / repeats;
    }
  }).slice(1);
}
