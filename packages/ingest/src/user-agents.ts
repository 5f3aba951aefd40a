import { LruCache } from '@tandem/base';
import { isAutomated } from './automation.ts';
import { parseUserAgent, type Platform } from './user-agent.ts';

/** All that is asked of one user agent. */
export interface ReadUserAgent {
  readonly platform: Platform;
  readonly isBot: boolean;
}

/** Longer ones are cut before anything else looks at them. */
export const USER_AGENT_LENGTH_MAX = 1000;

const CACHED_MAX = 5000;

/** Reads user agents and remembers the answers of the last few thousand. */
export class UserAgents {
  readonly #read = new LruCache<string, ReadUserAgent>(CACHED_MAX);

  read(userAgent: string): ReadUserAgent {
    const text = userAgent.slice(0, USER_AGENT_LENGTH_MAX);
    const known = this.#read.get(text);
    if (known !== undefined) return known;
    const read = { platform: parseUserAgent(text), isBot: isAutomated(text) };
    this.#read.set(text, read);
    return read;
  }
}
