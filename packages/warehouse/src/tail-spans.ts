import type { TailSpan } from './raw-span.ts';

/** Spans that are remembered; a dashboard asks for one or two again and again. */
const SPANS_MAX = 1000;

/** What was found about the tail, for as long as it does not change. */
export class TailSpans {
  readonly #spans = new Map<string, { readonly span: TailSpan | undefined }>();
  #stepCount = -1;

  /** Undefined when it is not known for this state of the tables. */
  get(stepCount: number, key: string): { readonly span: TailSpan | undefined } | undefined {
    return stepCount === this.#stepCount ? this.#spans.get(key) : undefined;
  }

  set(stepCount: number, key: string, found: { readonly span: TailSpan | undefined }): void {
    if (stepCount !== this.#stepCount || this.#spans.size >= SPANS_MAX) this.#spans.clear();
    this.#stepCount = stepCount;
    this.#spans.set(key, found);
  }
}
