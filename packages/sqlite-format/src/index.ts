export { DATABASE_HEADER_BYTES, isDatabaseHeader, parseDatabaseHeader } from './database-header.ts';
export type { DatabaseHeader } from './database-header.ts';
export {
  JOURNAL_HEADER_BYTES,
  journalPageChecksum,
  journalRecordCount,
  parseJournalHeader,
} from './journal-header.ts';
export type { JournalHeader } from './journal-header.ts';
export { formatLibraryVersion, hasWalResetBug, readLibraryVersion } from './library-version.ts';
export { PAGE_BYTES_MAX, PAGE_BYTES_MIN, isPageSize, lockPage } from './page-size.ts';
export { WalChecksum } from './wal-checksum.ts';
export { FRAME_HEADER_BYTES, encodeFrame, frameOffset, parseFrameHeader } from './wal-frame.ts';
export type { FrameContent, FrameHeader } from './wal-frame.ts';
export {
  WAL_HEADER_BYTES,
  WAL_VERSION,
  encodeWalHeader,
  parseWalHeader,
  walStart,
} from './wal-header.ts';
export type { WalGeneration, WalHeader, WalHeaderFields } from './wal-header.ts';
export {
  WAL_INDEX_BLOCK_BYTES,
  WAL_INDEX_BLOCK_FRAMES,
  WAL_INDEX_FIRST_BLOCK_FRAMES,
  WalIndexBlock,
  blockOfFrame,
  firstFrameOfBlock,
} from './wal-index-block.ts';
export type { WalIndexChange } from './wal-index-block.ts';
export {
  READ_MARK_UNUSED,
  WAL_INDEX_COPY_BYTES,
  WAL_INDEX_HEADER_BYTES,
  encodeWalIndexHeader,
  parseWalIndexHeader,
} from './wal-index-header.ts';
export type { WalIndexFields, WalIndexHeader } from './wal-index-header.ts';
export type { WalPosition } from './wal-position.ts';
export { WalScanner } from './wal-scanner.ts';
export type { WalScan, WalScanEnd, WalTransaction } from './wal-scanner.ts';
