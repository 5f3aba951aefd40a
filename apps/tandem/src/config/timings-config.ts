import {
  LEASE_TIMING_PRESETS,
  LeaseError,
  parseLeaseTimings,
  type LeaseTimings,
} from '@tandem/lease';
import type { Draft } from './draft.ts';
import { subjectOf } from './given-value.ts';
import { formatDuration } from './quantity.ts';
import type { SettingKey } from './settings.ts';

const KEYS = {
  durationMs: 'lease.duration',
  renewDeadlineMs: 'lease.renew-deadline',
  retryMs: 'lease.retry',
  marginMs: 'lease.margin',
} as const satisfies Record<keyof LeaseTimings, SettingKey>;
const TIMING_KEYS = Object.values(KEYS);
/** What the servers accept as the life of a session or lease. */
const DURATION_MS_MIN = { static: 0, kubernetes: 1000, etcd: 2000, consul: 10_000 } as const;

/** The timings of the lease, or undefined when they contradict each other, which is reported. */
export function timingsOf(draft: Draft): LeaseTimings | undefined {
  if (TIMING_KEYS.some((key) => draft.given(key) !== undefined && draft.values[key] === null)) {
    return undefined;
  }
  const timings = complete(draft);
  if (timings === undefined) return undefined;
  const type = draft.values['lease.type'];
  const minMs = DURATION_MS_MIN[type];
  if (timings.durationMs < minMs) {
    draft.findings.error(
      'config_bad_value',
      draft.subject('lease.duration'),
      `${placeOf(draft, 'lease.duration')} is ${formatDuration(timings.durationMs)}, but a lease of ` +
        `type ${type} lasts ${formatDuration(minMs)} or longer.`,
      `Write lease.duration: ${formatDuration(minMs)} or more.`,
    );
    return undefined;
  }
  for (const [name, key] of Object.entries(KEYS)) {
    if (draft.given(key) !== undefined) continue;
    const ms = timings[name as keyof LeaseTimings];
    draft.derive(key, formatDuration(ms), 'lease.preset');
  }
  return timings;
}

function complete(draft: Draft): LeaseTimings | undefined {
  const preset = LEASE_TIMING_PRESETS[draft.values['lease.preset']];
  const durationMs = draft.values['lease.duration'] ?? preset.durationMs;
  const scale = durationMs / preset.durationMs;
  const renewDeadlineMs =
    draft.values['lease.renew-deadline'] ?? Math.round(preset.renewDeadlineMs * scale);
  const given = {
    durationMs,
    renewDeadlineMs,
    retryMs: draft.values['lease.retry'] ?? Math.round(preset.retryMs * scale),
    marginMs: draft.values['lease.margin'] ?? Math.round((durationMs - renewDeadlineMs) / 2),
  };
  try {
    return parseLeaseTimings(given);
  } catch (error) {
    if (!(error instanceof LeaseError)) throw error;
    const key = TIMING_KEYS.findLast((one) => draft.given(one) !== undefined) ?? 'lease.duration';
    const used = TIMING_KEYS.map((one) => draft.given(one)).filter((one) => one !== undefined);
    const where = used.map((one) => subjectOf(one)).join(' with ');
    draft.findings.error(
      'config_conflict',
      draft.subject(key),
      `${where === '' ? '' : `${where} `}cannot work. ${error.message}`,
      error.hint ?? 'Remove them for the preset.',
    );
    return undefined;
  }
}

function placeOf(draft: Draft, key: SettingKey): string {
  const given = draft.given(key);
  return given === undefined ? key : subjectOf(given);
}
