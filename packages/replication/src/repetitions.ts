/** Of what goes on, the second time is said after this; the pause then doubles up to the longest. */
const PAUSE_MS_MIN = 30_000;
const PAUSE_MS_MAX = 3_600_000;
/** What was not heard of for longer was over, and is new when it comes again. */
const QUIET_MS = 120_000;
/** More than this are not told apart. */
const KNOWN_MAX = 1000;

interface Known {
  heardMs: number;
  saidMs: number;
  pauseMs: number;
}

/** Decides when something that goes on is said again: at first, then ever more rarely. */
export class Repetitions {
  readonly #known = new Map<string, Map<string, Known>>();
  #count = 0;

  /** Whether `message` is to be said of `subject` now. Call it each time that there is occasion to. */
  isDue(subject: string, message: string, nowMs: number): boolean {
    const ofSubject = this.#known.get(subject) ?? new Map<string, Known>();
    const known = ofSubject.get(message);
    if (known === undefined || nowMs - known.heardMs > QUIET_MS) {
      if (known === undefined) this.#makeRoom();
      ofSubject.set(message, { heardMs: nowMs, saidMs: nowMs, pauseMs: PAUSE_MS_MIN });
      this.#known.set(subject, ofSubject);
      return true;
    }
    known.heardMs = nowMs;
    if (nowMs - known.saidMs < known.pauseMs) return false;
    known.saidMs = nowMs;
    known.pauseMs = Math.min(PAUSE_MS_MAX, known.pauseMs * 2);
    return true;
  }

  /** It is over: whatever is said of the subject next is new. */
  forget(subject: string): void {
    this.#count -= this.#known.get(subject)?.size ?? 0;
    this.#known.delete(subject);
  }

  #makeRoom(): void {
    if (this.#count >= KNOWN_MAX) {
      this.#known.clear();
      this.#count = 0;
    }
    this.#count += 1;
  }
}
