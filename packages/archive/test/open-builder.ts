import { join } from 'node:path';
import type { Journal } from '@loggia/journal';
import { SegmentCache } from '@loggia/warehouse';
import { SegmentBuilder } from '../src/index.ts';

const MEMORY_BYTES = 64 * 1024 * 1024;

/** A builder as the server has it, over the data folder `folder`. */
export function openBuilder(journal: Journal, folder: string): Promise<SegmentBuilder> {
  const cacheFolder = join(folder, 'cache');
  const cache = new SegmentCache(cacheFolder, journal.archive);
  return SegmentBuilder.open({ cacheFolder, cache, memoryBytes: MEMORY_BYTES });
}
