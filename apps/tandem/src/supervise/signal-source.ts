/** Signals that the daemon passes on to the command it runs. */
export const PASSED_SIGNALS = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
] as const satisfies readonly NodeJS.Signals[];

export type PassedSignal = (typeof PASSED_SIGNALS)[number];

/** Signals that ask a program to end. */
const ENDING_SIGNALS: ReadonlySet<string> = new Set(['SIGINT', 'SIGTERM', 'SIGQUIT']);

/** Those that a terminal sends to all programs in front of it, and so to the command as well. */
const TERMINAL_SIGNALS: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT', 'SIGWINCH']);

/** Where signals come from: `process`, or a test's own emitter. */
export interface SignalSource {
  on(event: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(event: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

/** Calls back on each signal to pass on, until the returned function is called. */
export function listenToSignals(
  source: SignalSource,
  onSignal: (signal: PassedSignal) => void,
): () => void {
  const listeners = PASSED_SIGNALS.map((signal) => [signal, () => onSignal(signal)] as const);
  for (const [signal, listener] of listeners) source.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) source.off(signal, listener);
  };
}

export function isEndingSignal(signal: NodeJS.Signals): boolean {
  return ENDING_SIGNALS.has(signal);
}

export function isTerminalSignal(signal: NodeJS.Signals): boolean {
  return TERMINAL_SIGNALS.has(signal);
}
