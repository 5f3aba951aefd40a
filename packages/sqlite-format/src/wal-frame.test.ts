import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { LiveDatabase } from '../test/live-database.ts';
import { WalChecksum } from './wal-checksum.ts';
import { encodeFrame, frameOffset, parseFrameHeader } from './wal-frame.ts';
import { encodeWalHeader, parseWalHeader } from './wal-header.ts';

const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];

describe('encodeFrame', () => {
  it.each(PAGE_SIZES)('writes every frame of %i bytes as SQLite does', (pageSize) => {
    using live = new LiveDatabase(pageSize);
    live.sql.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, x)');
    for (let round = 0; round < 20; round += 1) {
      live.sql.exec('INSERT INTO a (x) VALUES (randomblob(700)), (randomblob(20))');
    }
    const wal = live.read('-wal');
    const header = parseWalHeader(wal);
    expect(header).toBeDefined();
    if (header === undefined) return;
    const frameCount = (wal.length - 32) / (pageSize + 24);
    expect(frameCount).toBe(live.checkpoint('PASSIVE').log);
    const made = new Uint8Array(wal.length);
    made.set(wal.subarray(0, 32));
    const checksum = new WalChecksum(header.checksum1, header.checksum2);
    for (let frame = 1; frame <= frameCount; frame += 1) {
      const offset = frameOffset(frame, pageSize);
      const { pgno, commit } = parseFrameHeader(wal, offset);
      const page = wal.subarray(offset + 24, offset + 24 + pageSize);
      encodeFrame(made, offset, { pgno, commit, page }, { generation: header, checksum });
    }
    expect(Buffer.compare(made, wal)).toBe(0);
  });

  it('writes frames with checksums in the other byte order, which SQLite recovers', () => {
    using live = new LiveDatabase(512);
    live.sql.exec('CREATE TABLE a (x)');
    live.checkpoint('TRUNCATE');
    for (let row = 0; row < 9; row += 1) live.sql.exec(`INSERT INTO a VALUES (${row})`);
    const wal = live.read('-wal');
    const fields = parseWalHeader(wal);
    if (fields === undefined) throw new Error('the WAL has a header');
    const other = new Uint8Array(wal.length);
    const header = encodeWalHeader({ ...fields, isBigEndianChecksum: true }, other);
    const checksum = new WalChecksum(header.checksum1, header.checksum2);
    for (let offset = 32; offset < wal.length; offset += 536) {
      const { pgno, commit } = parseFrameHeader(wal, offset);
      const page = wal.subarray(offset + 24, offset + 536);
      encodeFrame(other, offset, { pgno, commit, page }, { generation: header, checksum });
    }
    expect(Buffer.compare(other, wal)).not.toBe(0);
    const copy = join(live.folder, 'copy.db');
    copyFileSync(live.path, copy);
    writeFileSync(`${copy}-wal`, other);
    using recovered = new DatabaseSync(copy);
    expect(recovered.prepare('SELECT count(*) AS n FROM a').get()?.n).toBe(9);
  });

  it('refuses pages of another size, page 0, and too little room', () => {
    const generation = { pageSize: 512, salt1: 1, salt2: 2, isBigEndianChecksum: false };
    const run = { generation, checksum: new WalChecksum() };
    const page = new Uint8Array(512);
    const into = new Uint8Array(536);
    const wrong = { pgno: 1, commit: 0, page: page.subarray(1) };
    expect(() => encodeFrame(into, 0, wrong, run)).toThrow('size');
    expect(() => encodeFrame(into, 0, { pgno: 0, commit: 0, page }, run)).toThrow('from 1');
    expect(() => encodeFrame(into, 1, { pgno: 1, commit: 0, page }, run)).toThrow('room');
    expect(into).toEqual(new Uint8Array(536));
  });
});

describe('parseFrameHeader', () => {
  it('takes the six words as they stand', () => {
    const words = [1, 2, 0xffff_fffe, 4, 0x8000_0000, 6];
    const bytes = new Uint8Array(30);
    const view = new DataView(bytes.buffer);
    for (const [index, value] of words.entries()) view.setUint32(5 + 4 * index, value);
    expect(parseFrameHeader(bytes.subarray(2), 3)).toEqual({
      pgno: 1,
      commit: 2,
      salt1: 0xffff_fffe,
      salt2: 4,
      checksum1: 0x8000_0000,
      checksum2: 6,
    });
    expect(() => parseFrameHeader(bytes, 7)).toThrow('in the bytes');
  });
});

describe('frameOffset', () => {
  it('counts from 1, after the header, also beyond 4 GiB', () => {
    expect(frameOffset(1, 4096)).toBe(32);
    expect(frameOffset(2, 4096)).toBe(32 + 4120);
    expect(frameOffset(2_000_001, 65_536)).toBe(32 + 2_000_000 * 65_560);
  });
});
