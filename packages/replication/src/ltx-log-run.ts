import { join } from 'node:path';
import { LtxDecoder, LtxError, ltxFileName, parseLtxFileName } from '@tandem/ltx';
import { nodeFiles, removeIfExists, TEMPORARY_SUFFIX, type FileOperations } from './small-file.ts';

/** A file of the log: the transactions it holds, both ends included. */
export interface LogEntry {
  readonly minTxid: number;
  readonly maxTxid: number;
}

/** A file that was found in the log's folder and does not belong to the log. */
export interface Stray extends LogEntry {
  readonly path: string;
  /** `damaged`: the end of the log, cut off. `overlap`: its transactions are in other files too. */
  readonly reason: 'damaged' | 'overlap' | 'gap';
}

/** The same while it lies among the others. */
export type StrayEntry = LogEntry & Pick<Stray, 'reason'>;

const READ_BYTES = 1024 * 1024;
const STRAY_NAME = /^(?<name>.+\.ltx)\.(?<reason>damaged|overlap|gap)(?:\.\d+)?$/;

/** The log's files by their names alone, in the order of their last transactions. */
export function listLogFiles(folder: string, files: FileOperations): LogEntry[] {
  const found: LogEntry[] = [];
  for (const name of files.readdirSync(folder)) {
    const range = parseLtxFileName(name);
    if (range !== undefined) found.push(range);
    else if (name.endsWith(`.ltx${TEMPORARY_SUFFIX}`)) removeIfExists(join(folder, name), files);
  }
  return found.sort((a, b) => a.maxTxid - b.maxTxid || b.minTxid - a.minTxid);
}

/**
 * Which of the files are the log: those that lead up to the newest before the first damaged one.
 * Looked at are the newest file and all that hold transactions after `verifiedTxid`.
 */
export function chooseRun(
  folder: string,
  found: readonly LogEntry[],
  verifiedTxid: number,
  files: FileOperations,
): { readonly run: readonly LogEntry[]; readonly strays: readonly StrayEntry[] } {
  const strays: StrayEntry[] = [];
  const rest = found.slice();
  for (let at = rest.length - 1; at >= 0; at -= 1) {
    const entry = rest[at];
    const isNewest = at === rest.length - 1;
    if (entry === undefined || (!isNewest && entry.maxTxid <= verifiedTxid)) break;
    if (!isWhole(folder, entry, files)) {
      strays.push(...rest.splice(at).map((each) => ({ ...each, reason: 'damaged' as const })));
    }
  }
  const run = longestRun(rest);
  const inRun = new Set(run);
  const firstTxid = run[0]?.minTxid ?? 0;
  for (const entry of rest) {
    if (inRun.has(entry)) continue;
    strays.push({ ...entry, reason: entry.maxTxid < firstTxid ? 'gap' : 'overlap' });
  }
  return { run, strays };
}

/**
 * Of files in the order of their last transactions, those that lead up to the last one without a
 * gap or an overlap, from as far back as possible; of equally long runs the one with smaller files.
 */
export function longestRun(found: readonly LogEntry[]): LogEntry[] {
  /** By last transaction: the file that reaches back furthest, and how far that is. */
  const best = new Map<number, { readonly entry: LogEntry; readonly reach: number }>();
  for (const entry of found) {
    const reach = best.get(entry.minTxid - 1)?.reach ?? entry.minTxid;
    const known = best.get(entry.maxTxid);
    if (known === undefined || reach < known.reach) best.set(entry.maxTxid, { entry, reach });
  }
  const run: LogEntry[] = [];
  let next = best.get(found.at(-1)?.maxTxid ?? 0);
  while (next !== undefined) {
    run.push(next.entry);
    next = best.get(next.entry.minTxid - 1);
  }
  return run.reverse();
}

/** True when the file can be decoded to its end and holds what its name says. */
function isWhole(folder: string, entry: LogEntry, files: FileOperations): boolean {
  const decoder = new LtxDecoder();
  const descriptor = files.openSync(join(folder, ltxFileName(entry.minTxid, entry.maxTxid)), 'r');
  try {
    for (;;) {
      const chunk = new Uint8Array(READ_BYTES);
      const byteCount = files.readSync(descriptor, chunk);
      if (byteCount === 0) break;
      decoder.push(chunk.subarray(0, byteCount));
    }
    decoder.finish();
    const { header } = decoder;
    return header?.minTxid === entry.minTxid && header.maxTxid === entry.maxTxid;
  } catch (error) {
    if (error instanceof LtxError) return false;
    throw error;
  } finally {
    files.closeSync(descriptor);
  }
}

/** Moves strays to `FOLDER.strays` and lists all that is there. */
export function setStraysAside(
  folder: string,
  strays: readonly StrayEntry[],
  files: FileOperations = nodeFiles,
): Stray[] {
  const target = `${folder}.strays`;
  if (strays.length > 0) files.mkdirSync(target, { recursive: true });
  for (const { minTxid, maxTxid, reason } of strays) {
    const name = ltxFileName(minTxid, maxTxid);
    const path = join(target, `${name}.${reason}`);
    let free = path;
    for (let number = 2; files.existsSync(free); number += 1) free = `${path}.${number}`;
    files.renameSync(join(folder, name), free);
  }
  return listStrays(target, files);
}

function listStrays(folder: string, files: FileOperations): Stray[] {
  if (!files.existsSync(folder)) return [];
  const strays = files.readdirSync(folder).flatMap((fileName): Stray[] => {
    const { name = '', reason } = STRAY_NAME.exec(fileName)?.groups ?? {};
    const range = parseLtxFileName(name);
    if (range === undefined) return [];
    const path = join(folder, fileName);
    if (reason === 'damaged' || reason === 'overlap' || reason === 'gap') {
      return [{ ...range, path, reason }];
    }
    return [];
  });
  return strays.sort((a, b) => a.minTxid - b.minTxid);
}
