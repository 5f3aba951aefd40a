import { deliver } from './delivery.ts';
import type { Payload } from './payload.ts';

/** Attention shorter than this is not worth a request of its own. */
const ENGAGED_MS_MIN = 3000;

/** The page view that attention counts for; something falsy while there is none. */
let view: Payload | false | null | undefined;
/** Whether the page has had the visitor's attention since `sinceMs`. */
let attended = false;
let sinceMs = 0;
/** Attention and depth of the view that no ping has told yet. */
let engagedMs = 0;
let sentDepth = 0;
let deepestPx = 0;
let heightPx = Infinity;

/** Notes how far down the page has been seen, and how long the page is. */
export function measure(): void {
  heightPx = document.documentElement.scrollHeight;
  deepestPx = Math.max(deepestPx, scrollY + innerHeight);
}

/** Adds up the attention so far; from now on the page has it or not, by default as before. */
export function attend(attendedNow = attended): boolean {
  const nowMs = performance.now();
  if (attended) engagedMs += nowMs - sinceMs;
  sinceMs = nowMs;
  attended = attendedNow;
  return attended;
}

/** Sends what was not yet told about the current view, if there is enough of it. */
export function ping(): void {
  const depth = Math.min(100, Math.round((deepestPx / heightPx) * 100));
  if (view && (depth > sentDepth || engagedMs >= ENGAGED_MS_MIN)) {
    deliver({ ...view, n: 'engagement', sd: depth, e: Math.round(engagedMs) });
    sentDepth = depth;
    engagedMs = 0;
  }
}

/**
 * Ends the view before and begins `next`, or nothing if that was refused.
 *
 * On a change of route the document still shows the old page, scrolled where it was. So a view
 * begins with one viewport seen, and is measured when it moves, grows or is left.
 */
export function turnTo(next: typeof view): void {
  view = next;
  engagedMs = sentDepth = 0;
  deepestPx = innerHeight;
}
