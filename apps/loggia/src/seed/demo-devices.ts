/** What visitors browse with. */
export interface DemoDevice {
  readonly browser: string;
  readonly os: string;
  readonly osVersion: string | null;
  readonly device: 'Desktop' | 'Mobile' | 'Tablet';
  /** A class of screens as the ingest names them: xs, sm, md, lg, xl. */
  readonly screen: string;
  readonly weight: number;
}

type Row = readonly [
  browser: string,
  os: string,
  osVersion: string | null,
  device: DemoDevice['device'],
  screen: string,
  weight: number,
];

const ROWS: readonly Row[] = [
  ['Chrome', 'Windows', '10', 'Desktop', 'xl', 20],
  ['Chrome', 'Windows', '10', 'Desktop', 'lg', 6],
  ['Microsoft Edge', 'Windows', '10', 'Desktop', 'xl', 7],
  ['Firefox', 'Windows', '10', 'Desktop', 'xl', 5],
  ['Chrome', 'Mac', '10.15', 'Desktop', 'lg', 9],
  ['Safari', 'Mac', '10.15', 'Desktop', 'lg', 8],
  ['Firefox', 'Mac', '10.15', 'Desktop', 'lg', 2],
  ['Firefox', 'GNU/Linux', null, 'Desktop', 'xl', 6],
  ['Chrome', 'GNU/Linux', null, 'Desktop', 'xl', 4],
  ['Chrome', 'Android', '10', 'Mobile', 'xs', 17],
  ['Samsung Browser', 'Android', '10', 'Mobile', 'xs', 3],
  ['Firefox', 'Android', '15', 'Mobile', 'xs', 1.5],
  ['Safari', 'iOS', '18.5', 'Mobile', 'xs', 18],
  ['Safari', 'iOS', '17.6', 'Mobile', 'xs', 4],
  ['Chrome', 'iOS', '18.5', 'Mobile', 'xs', 2],
  ['Safari', 'iOS', '18.5', 'Tablet', 'md', 1.6],
  ['Chrome', 'Android', '14', 'Tablet', 'md', 1],
  ['Chrome', 'Chrome OS', '14541.0', 'Desktop', 'lg', 0.8],
];

export const DEMO_DEVICES: readonly DemoDevice[] = ROWS.map(
  ([browser, os, osVersion, device, screen, weight]) => ({
    browser,
    os,
    osVersion,
    device,
    screen,
    weight,
  }),
);

const RELEASES_EPOCH_MS = Date.UTC(2024, 0, 1);
const RELEASE_EVERY_MS = 28 * 86_400_000;

/** The version of `browser` that was current at `timeMs`: two families renew every four weeks. */
export function browserVersionAt(browser: string, timeMs: number): string {
  const releases = Math.max(0, Math.floor((timeMs - RELEASES_EPOCH_MS) / RELEASE_EVERY_MS));
  if (browser === 'Safari') return `${17 + Math.floor(releases / 13)}.${releases % 13 < 6 ? 0 : 4}`;
  if (browser === 'Samsung Browser') return `${23 + Math.floor(releases / 7)}.0`;
  return `${120 + releases}.0`;
}
