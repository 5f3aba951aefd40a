import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { assert } from '@tandem/base';
import {
  Crc64,
  LtxDecoder,
  Lz4BlockCompressor,
  RollingChecksum,
  compactLtx,
  compressLz4Block,
  decodeLtx,
  decompressLz4Block,
  encodeLtx,
  lz4BlockBytesMax,
  pageChecksum,
  type LtxHeader,
  type LtxPage,
} from '@tandem/ltx';
import { SampleEvents } from '../load/sample-events.ts';
import { measurementOf } from '../spread.ts';
import { defineWorkload, type Measurement } from '../workload.ts';

const PAGE_BYTES = 4096;
const READ_BYTES = 65_536;
const NOISE_FACTOR = 1_103_515_245;
/** A round takes this much processor time at least. */
const ROUND_US = 150_000;

/** A database in memory, with a name for the table of results. */
interface SampleDatabase {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly pages: readonly LtxPage[];
}

/** How fast LTX files are made and read, and what the parts of that cost. */
export const ltx = defineWorkload({
  name: 'ltx',
  summary: 'MB/s of checksums, LZ4, and writing, reading and compacting LTX files, in one thread',
  setUp: ({ quick, work }) => {
    const rows = eventDatabase(work.make('ltx'), quick ? 2000 : 60_000);
    return {
      databases: [sampleOf('events', rows), sampleOf('noise', noise(rows.length))],
      rounds: quick ? 2 : 7,
    };
  },
  measure: ({ databases, rounds }) => databases.flatMap((database) => measureOf(database, rounds)),
});

function measureOf(database: SampleDatabase, rounds: number): Measurement[] {
  const { bytes, pages, name } = database;
  const [header, post] = [headerOf(pages.length), checksumOf(pages)];
  const file = encodeLtx(header, pages, post);
  const of = (measure: string, run: () => void): Measurement => ({
    ...measurementOf(
      { measure, unit: 'MB/s', parameters: { pages: name } },
      timesOf(rounds, run).map((seconds) => bytes.length / 1e6 / seconds),
    ),
  });
  const copy = new Uint8Array(bytes.length);
  return [
    of('copy, for comparison', () => copy.set(bytes)),
    of('crc64', () => void new Crc64().update(bytes)),
    of('page checksums', () => void checksumOf(pages)),
    ...blockSpeeds(pages, of),
    of('encode', () => void encodeLtx(header, pages, post)),
    of('decode', () => decodeInChunks(file, pages.length)),
    of('compact with itself', () => compactTwice(file, pages)),
    {
      measure: 'size of the file',
      value: file.length / bytes.length,
      unit: 'ratio',
      parameters: { pages: name },
    },
  ];
}

function blockSpeeds(
  pages: readonly LtxPage[],
  of: (measure: string, run: () => void) => Measurement,
): Measurement[] {
  const compressor = new Lz4BlockCompressor();
  const target = new Uint8Array(lz4BlockBytesMax(PAGE_BYTES));
  const blocks = pages.map(({ data }) => compressLz4Block(data));
  return [
    of('lz4 compress', () => {
      for (const { data } of pages) compressor.compressInto(data, target);
    }),
    of('lz4 decompress', () => {
      for (const block of blocks) decompressLz4Block(block, PAGE_BYTES);
    }),
  ];
}

function decodeInChunks(file: Uint8Array, pageCount: number): void {
  const decoder = new LtxDecoder();
  let count = 0;
  for (let at = 0; at < file.length; at += READ_BYTES) {
    count += decoder.push(file.subarray(at, at + READ_BYTES)).length;
  }
  decoder.finish();
  assert(count === pageCount, 'all pages are read');
}

/** Merges the file with an increment that writes every second page again. */
function compactTwice(file: Uint8Array, pages: readonly LtxPage[]): void {
  const snapshot = decodeLtx(file);
  const { postApplyChecksum } = snapshot.trailer;
  const increment = {
    header: {
      ...headerOf(pages.length),
      minTxid: 2,
      maxTxid: 2,
      preApplyChecksum: postApplyChecksum,
    },
    pages: pages.filter(({ pgno }) => pgno % 2 === 0),
    trailer: snapshot.trailer,
  };
  let bytes = 0;
  compactLtx([snapshot, increment], (chunk) => {
    bytes += chunk.length;
  });
  assert(bytes === file.length, 'the result holds the same pages');
}

function headerOf(commit: number): LtxHeader {
  return {
    pageSize: PAGE_BYTES,
    commit,
    minTxid: 1,
    maxTxid: 1,
    timestampMs: 0,
    preApplyChecksum: 0n,
    walOffsetBytes: 0,
    walSizeBytes: 0,
    walSalt1: 0,
    walSalt2: 0,
    nodeId: 0n,
    isChecksummed: true,
  };
}

function checksumOf(pages: readonly LtxPage[]): bigint {
  const rolling = new RollingChecksum();
  const sum = new Uint32Array(2);
  for (const { pgno, data } of pages) {
    pageChecksum(pgno, data, sum);
    rolling.toggle(sum[0] ?? 0, sum[1] ?? 0);
  }
  return rolling.toBigInt();
}

function sampleOf(name: string, bytes: Uint8Array): SampleDatabase {
  const pages = Array.from({ length: bytes.length / PAGE_BYTES }, (_, at) => ({
    pgno: at + 1,
    data: bytes.subarray(at * PAGE_BYTES, (at + 1) * PAGE_BYTES),
  }));
  return { name, bytes, pages };
}

/** What a table of events and an index look like on disk. */
function eventDatabase(folder: string, count: number): Uint8Array {
  const path = join(folder, 'events.db');
  using database = new DatabaseSync(path);
  database.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
  database.exec('CREATE TABLE event (id INTEGER PRIMARY KEY, address TEXT, agent TEXT, body TEXT)');
  database.exec('CREATE INDEX event_address ON event (address)');
  database.exec('BEGIN');
  const insert = database.prepare('INSERT INTO event (address, agent, body) VALUES (?, ?, ?)');
  const events = new SampleEvents(3);
  for (let index = 0; index < count; index += 1) {
    const { address, userAgent, body } = events.next();
    insert.run(address, userAgent, JSON.stringify(body));
  }
  database.exec('COMMIT');
  return readFileSync(path);
}

function noise(count: number): Uint8Array {
  let state = 1;
  return new Uint8Array(count).map(() => {
    state = Math.imul(state, NOISE_FACTOR) + 12_345;
    return state >>> 16;
  });
}

/** Seconds of this thread's processor time for one run, in each round, after one to warm up. */
function timesOf(rounds: number, run: () => void): number[] {
  return Array.from({ length: rounds + 1 }, () => {
    const before = process.threadCpuUsage();
    for (let repeats = 1; ; repeats += 1) {
      run();
      const { user, system } = process.threadCpuUsage(before);
      if (user + system >= ROUND_US) return (user + system) / 1e6 / repeats;
    }
  }).slice(1);
}
