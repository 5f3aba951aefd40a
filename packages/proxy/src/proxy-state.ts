import type { ProxyPosition } from './position.ts';

/** What a node knows of itself and of the primary. The daemon supplies it; nothing of it may throw. */
export interface ProxyState {
  readonly role: () => 'primary' | 'replica' | 'none';
  /** Whether the first sync is done; a primary always is ready. */
  readonly isReady: () => boolean;
  /** The base URL of the proxy of the primary, while another node is known to be it. */
  readonly primaryUrl: () => string | undefined;
  /** The last transactions that readers of the local databases see; undefined without any. */
  readonly position: () => ProxyPosition | undefined;
  /**
   * Waits until the local position reaches `position`, or that of the primary as it is from now on
   * (`latest`). `unknown-epoch` means that a part of it will never be reached, as it is of a history
   * that lost against the present one, and that all the rest is. An epoch above all that the node
   * knows is no such thing; news of it may still come, so it is waited for.
   */
  readonly waitFor: (
    position: ProxyPosition | 'latest',
    timeoutMs: number,
  ) => Promise<'reached' | 'timeout' | 'unknown-epoch'>;
  /**
   * Waits until this node is primary or knows which one is: `local`, or the base URL of the primary's
   * proxy; undefined when the time is over.
   */
  readonly waitForPrimary: (timeoutMs: number) => Promise<string | undefined>;
  /** How far the node is behind the primary; undefined without contact. */
  readonly lagMs: () => number | undefined;
  /**
   * Asked on the primary after the application has answered and before the client gets the answer.
   * Gives a position that covers all that the answer can rest on: whatever was committed until now
   * has been captured. For a write it also has as many acknowledgements as the settings ask for.
   * Without this function, `position` must cover a commit as soon as it is made.
   */
  readonly confirm?: (kind: 'read' | 'write', timeoutMs: number) => Promise<Confirmation>;
}

/** `unconfirmed`: the write stands here, but may be lost with this node. */
export type Confirmation =
  | { readonly kind: 'covered'; readonly position: ProxyPosition | undefined }
  | { readonly kind: 'unconfirmed'; readonly reason: string };
