import { DaemonError } from './daemon-error.ts';

const ANSWER_CHARACTERS_MAX = 500;

/**
 * Asks the primary at `url` to hand off to the node of that name, and waits for its answer.
 *
 * @throws DaemonError `hand_off_refused`.
 */
export async function askForHandOff(
  url: string,
  nodeName: string,
  { token, signal }: { readonly token?: string; readonly signal: AbortSignal },
): Promise<void> {
  const target = new URL(`/handoff?name=${encodeURIComponent(nodeName)}`, url);
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  try {
    const answer = await fetch(target, { method: 'POST', headers, signal });
    const text = await answer.text();
    if (answer.ok) return;
    const said = text.slice(0, ANSWER_CHARACTERS_MAX);
    throw new DaemonError(
      'hand_off_refused',
      `${target.origin} answered ${answer.status}: ${said}`,
    );
  } catch (error) {
    if (error instanceof DaemonError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new DaemonError('hand_off_refused', `${target.origin} cannot be asked: ${why}`, {
      cause: error,
      retryable: true,
      hint: 'Check that the primary advertises an address that this node can reach.',
    });
  }
}
