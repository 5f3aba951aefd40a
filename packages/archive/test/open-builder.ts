import { join } from 'node:path';
import { SegmentBuilder } from '../src/index.ts';

const MEMORY_BYTES = 64 * 1024 * 1024;

/** A builder as the server has it, over the data folder `folder`. */
export function openBuilder(folder: string): Promise<SegmentBuilder> {
  return SegmentBuilder.open({ folder: join(folder, 'cache', 'work'), memoryBytes: MEMORY_BYTES });
}
