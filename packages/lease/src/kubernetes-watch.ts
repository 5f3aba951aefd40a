import { numberIn, objectIn, parseJsonObject, stringIn } from './json-value.ts';
import type { KubernetesClient } from './kubernetes-client.ts';
import {
  decodeLeaseList,
  decodeLeaseObject,
  type KubernetesLeaseObject,
} from './kubernetes-object.ts';
import { LeaseError } from './lease-error.ts';
import { watchLoop } from './watch-loop.ts';

/** The server ends a watch after so long; another begins where it ended. */
const WATCH_SECONDS = 240;
const SILENCE_MS = (WATCH_SECONDS + 30) * 1000;
const GONE = 410;

export interface KubernetesWatchSettings {
  readonly client: KubernetesClient;
  /** Path of all leases of the namespace. */
  readonly folder: string;
  readonly leaseName: string;
  /** Between two attempts after a failure. */
  readonly retryMs: number;
  /** For the list with which each round begins. */
  readonly timeoutMs: number;
}

/** Follows one Lease by list and watch, as a Role limited by resourceNames allows it. */
export class KubernetesWatch {
  readonly #settings: KubernetesWatchSettings;

  constructor(settings: KubernetesWatchSettings) {
    this.#settings = settings;
  }

  /** Calls back with the object, or undefined when there is none, until aborted. */
  async run(
    onObject: (object: KubernetesLeaseObject | undefined) => void,
    signal: AbortSignal,
    onError?: (error: Error) => void,
  ): Promise<void> {
    await watchLoop(() => this.#round(onObject, signal), {
      retryMs: this.#settings.retryMs,
      signal,
      onError,
    });
  }

  /** Lists, then watches from there until the server ends it or says that it forgot (410). */
  async #round(
    onObject: (object: KubernetesLeaseObject | undefined) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const listed = await this.#list(signal);
    onObject(listed.items[0]);
    let { resourceVersion } = listed;
    for (;;) {
      const ended = await this.#watchFrom(resourceVersion, onObject, signal);
      if (ended === 'gone' || ended === resourceVersion) return;
      resourceVersion = ended;
    }
  }

  async #list(signal: AbortSignal): Promise<ReturnType<typeof decodeLeaseList>> {
    const { client, timeoutMs } = this.#settings;
    const answer = await client.exchange({
      method: 'GET',
      path: this.#path({}),
      timeoutMs,
      signal,
    });
    if (answer.status === 200) return decodeLeaseList(parseJsonObject(answer.text));
    throw new LeaseError('lease_bad_answer', `The API server answered ${answer.status} to a list.`);
  }

  /** Returns the version from which to go on. */
  async #watchFrom(
    resourceVersion: string,
    onObject: (object: KubernetesLeaseObject | undefined) => void,
    signal: AbortSignal,
  ): Promise<string> {
    const lines = this.#settings.client.lines({
      method: 'GET',
      path: this.#path({
        watch: 'true',
        allowWatchBookmarks: 'true',
        timeoutSeconds: String(WATCH_SECONDS),
        resourceVersion,
      }),
      timeoutMs: SILENCE_MS,
      signal,
    });
    let seen = resourceVersion;
    for await (const line of lines) {
      const event = parseJsonObject(line);
      const type = stringIn(event, 'type');
      const json = objectIn(event, 'object');
      if (type === 'ERROR' || type === undefined) {
        if ((numberIn(json, 'code') ?? numberIn(event, 'code')) === GONE) return 'gone';
        throw new LeaseError('lease_bad_answer', `The watch ended: ${line.slice(0, 300)}`);
      }
      const object = decodeLeaseObject(json);
      if (object === undefined) continue;
      seen = object.resourceVersion;
      if (type === 'ADDED' || type === 'MODIFIED') onObject(object);
      if (type === 'DELETED') onObject(undefined);
    }
    return seen;
  }

  #path(parameters: Readonly<Record<string, string>>): string {
    const query = new URLSearchParams({
      fieldSelector: `metadata.name=${this.#settings.leaseName}`,
      ...parameters,
    });
    return `${this.#settings.folder}?${query.toString()}`;
  }
}
