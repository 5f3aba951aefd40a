import type { Terminal } from './terminal.ts';

const CLEAR_LINE = '\r\u001B[K';
const REDRAW_MS = 100;

/**
 * How far long work has come: a line that renews itself at a terminal, elsewhere one JSON object per
 * tenth of the way, and always on standard error.
 */
export class Progress {
  readonly #terminal: Terminal;
  #tenthsShown = 0;
  #drawnMs = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** `share` is 0 to 1. `facts` stand in the JSON object, `text` before the share at a terminal. */
  show(share: number, text: string, facts: Readonly<Record<string, number | string>>): void {
    const { stderr } = this.#terminal;
    const bounded = Math.max(0, Math.min(1, share));
    if (stderr.isTTY === true) {
      const nowMs = this.#terminal.nowMs();
      if (Math.abs(nowMs - this.#drawnMs) < REDRAW_MS) return;
      this.#drawnMs = nowMs;
      stderr.write(`${CLEAR_LINE}${text}, ${Math.floor(bounded * 100)} %`);
      return;
    }
    const tenths = Math.floor(bounded * 10);
    if (tenths <= this.#tenthsShown) return;
    this.#tenthsShown = tenths;
    stderr.write(`${JSON.stringify({ progress: tenths / 10, ...facts })}\n`);
  }

  /** Leaves the terminal's line empty. */
  [Symbol.dispose](): void {
    if (this.#terminal.stderr.isTTY === true) this.#terminal.stderr.write(CLEAR_LINE);
  }
}
