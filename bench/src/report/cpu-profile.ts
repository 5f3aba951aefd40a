import { textTable } from './text-table.ts';

/** The part of V8's `.cpuprofile` that is read here. Times are in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** A function's own time. */
export interface SelfTime {
  readonly name: string;
  readonly place: string;
  readonly selfMs: number;
}

const IDLE = new Set(['(idle)', '(root)']);

/** Functions by their own time, the greatest first; time without work is left out. */
export function selfTimes(profile: CpuProfile): SelfTime[] {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, SelfTime>();
  for (const [index, id] of profile.samples.entries()) {
    const frame = frames.get(id);
    if (frame === undefined || IDLE.has(frame.functionName)) continue;
    const name = frame.functionName === '' ? '(anonymous)' : frame.functionName;
    const place = placeOf(frame.url, frame.lineNumber);
    const key = `${name} ${place}`;
    const selfMs = (times.get(key)?.selfMs ?? 0) + (profile.timeDeltas[index] ?? 0) / 1000;
    times.set(key, { name, place, selfMs });
  }
  return [...times.values()].sort((left, right) => right.selfMs - left.selfMs);
}

/** The `rowsMax` costliest functions with their shares of all working time. */
export function profileTable(profile: CpuProfile, rowsMax: number): string {
  const times = selfTimes(profile);
  const totalMs = times.reduce((sum, { selfMs }) => sum + selfMs, 0);
  const rows = times
    .slice(0, rowsMax)
    .map(({ name, place, selfMs }) => [
      `${((selfMs / totalMs) * 100).toFixed(1)} %`,
      `${selfMs.toFixed(0)} ms`,
      name,
      place,
    ]);
  return textTable(rows, ['right', 'right', 'left', 'left']);
}

function placeOf(url: string, lineNumber: number): string {
  if (url === '') return '';
  const short = url
    .replace(/^file:\/\//, '')
    .replace(/^.*\/(?=(?:node_modules|packages|apps)\/)/, '');
  return `${short}:${lineNumber + 1}`;
}
