export { SegmentBuilder } from './segment-builder.ts';
export type { BuiltSet, PartFacts, SegmentBuilderOptions } from './segment-builder.ts';
export { SiteCalendar } from './site-calendar.ts';
export type { SiteDay } from './site-calendar.ts';
export { Sealer } from './sealer.ts';
export type { SealStep, SealedPart, SealerOptions } from './sealer.ts';
export { hasArchiveWork, keepArchive } from './keep-archive.ts';
export type { ArchiveReport, ArchiveTurn } from './keep-archive.ts';
