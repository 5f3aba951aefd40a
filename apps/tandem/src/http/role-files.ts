import type { NodeStatus } from './node-api.ts';
import { largestLag, txidText } from './node-json.ts';

/** A small file that tells scripts of the node. */
export interface RoleFile {
  /** Relative path with '/' between folders. */
  readonly name: string;
  readonly text: string;
  /** When what it tells of happened, in Unix milliseconds, where that is known. */
  readonly changedAtMs?: number;
}

export const PRIMARY_FILE = '.primary';
export const LAG_FILE = '.lag';

const LAG_BYTES = 11;
const LAG_UNKNOWN_MS = 2_147_483_647;
const NO_CHECKSUM = '0000000000000000';

/**
 * The files for this state, as LiteFS has them in its mount: `.primary` with the primary's name, only
 * on a replica that is connected to it; `.lag`; `NAME-pos` for each database.
 */
export function roleFiles(status: NodeStatus): RoleFile[] {
  const { role, primary, streamState, databases } = status;
  const isConnected = streamState === 'following' || streamState === 'catching-up';
  const hasPrimaryFile = role === 'replica' && primary !== undefined && isConnected;
  return [
    ...(hasPrimaryFile ? [{ name: PRIMARY_FILE, text: `${primary.name}\n` }] : []),
    { name: LAG_FILE, text: lagText(lagMsOf(status)) },
    ...databases.map(({ name, position, checksum, changedAtMs }) => ({
      name: `${name}-pos`,
      text: `${txidText(position.txid)}/${checksum ?? NO_CHECKSUM}\n`,
      ...(changedAtMs === undefined ? {} : { changedAtMs }),
    })),
  ];
}

/**
 * Milliseconds in the 11 bytes that LiteFS uses: a sign, nine digits and a newline. A tenth digit, as
 * the value for 'never in step' has, takes the newline's place.
 */
export function lagText(lagMs: number): string {
  const ms = Math.min(Math.max(0, Math.round(lagMs)), LAG_UNKNOWN_MS);
  return `+${String(ms).padStart(LAG_BYTES - 2, '0')}\n`.slice(0, LAG_BYTES);
}

function lagMsOf(status: NodeStatus): number {
  if (status.role === 'primary') return 0;
  const lag = largestLag(status);
  const hasHeard =
    lag !== undefined && (status.databases.length > 0 || status.obstacles.length === 0);
  return hasHeard ? lag.seconds * 1000 : LAG_UNKNOWN_MS;
}
