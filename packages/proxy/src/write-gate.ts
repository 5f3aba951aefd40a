/**
 * Lets writes through to the application of the primary, counts those under way, and holds new ones
 * back while a hand-off is made.
 */
export class WriteGate {
  #isPaused = false;
  #running = 0;
  #opened = Promise.withResolvers<void>();
  #drained = Promise.withResolvers<void>();

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Writes that the application has not answered to the end. */
  get running(): number {
    return this.#running;
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#opened = Promise.withResolvers<void>();
  }

  resume(): void {
    this.#isPaused = false;
    this.#opened.resolve();
  }

  /** Resolves with true as soon as the gate is open, or with false after `timeoutMs`. */
  async whenOpen(timeoutMs: number): Promise<boolean> {
    if (!this.#isPaused) return true;
    await withTimeout(this.#opened.promise, timeoutMs);
    return !this.#isPaused;
  }

  /** Counts a write as running until the function it returns is called; undefined while paused. */
  tryEnter(): (() => void) | undefined {
    if (this.#isPaused) return undefined;
    if (this.#running === 0) this.#drained = Promise.withResolvers<void>();
    this.#running += 1;
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      this.#running -= 1;
      if (this.#running === 0) this.#drained.resolve();
    };
  }

  /** Resolves when no write is running, or after `timeoutMs`, with the number still running. */
  async drain(timeoutMs: number): Promise<number> {
    if (this.#running > 0) await withTimeout(this.#drained.promise, timeoutMs);
    return this.#running;
  }
}

/** Resolves with `work` or after `timeoutMs`, whichever is first. Infinity waits for ever. */
async function withTimeout(work: Promise<void>, timeoutMs: number): Promise<void> {
  if (timeoutMs === Number.POSITIVE_INFINITY) return await work;
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, timeoutMs);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
