export { SegmentBuilder } from './segment-builder.ts';
export type { BuiltSet, SegmentBuilderOptions } from './segment-builder.ts';
export { Sealer } from './sealer.ts';
export type { SealStep, SealedPart, SealerOptions } from './sealer.ts';
export { hasArchiveWork, keepArchive } from './keep-archive.ts';
export type { ArchiveReport, ArchiveTurn } from './keep-archive.ts';
