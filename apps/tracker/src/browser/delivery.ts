import type { Outcome, Payload } from './payload.ts';
import { settings } from './settings.ts';

/**
 * Posts `payload` in a way that survives leaving the page. A string body travels as text/plain, so
 * that the browser need not ask the server's permission first, for which there is no time then.
 */
export function deliver(payload: Payload, settled?: (outcome: Outcome) => void): void {
  fetch(settings.endpoint, {
    method: 'POST',
    keepalive: true,
    body: JSON.stringify(payload),
  }).then(
    (response) => settled?.({ status: response.status }),
    (error: unknown) => settled?.({ error }),
  );
}
