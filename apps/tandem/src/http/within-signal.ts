/** Settles as `operation` does, or rejects with the signal's reason if that aborts first. */
export async function withinSignal<Value>(
  operation: Promise<Value>,
  signal: AbortSignal,
): Promise<Value> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  // Whichever of the two comes second has nobody to tell.
  operation.catch(() => {});
  aborted.promise.catch(() => {});
  try {
    return await Promise.race([operation, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
