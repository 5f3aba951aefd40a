import { clientAddress, type ProxyTrust } from './client-address.ts';
import { GEO_HEADER_NETWORKS, placeFromHeaders, type GeoHeaderNetwork } from './geo-headers.ts';
import { preferredLanguage } from './language.ts';
import { hasOptedOut } from './opt-out.ts';
import type { Place } from './place.ts';
import { headerText, type RequestHeaders } from './request-headers.ts';
import type { Platform } from './user-agent.ts';

/** What a request tells about its sender, beside the event in its body. */
export interface RequestFacts {
  /** The visitor's address in normal form; null when nobody said it. */
  readonly address: string | null;
  /**
   * Null when the event comes from a server that passed none on, which is no sign of a bot; empty
   * when a browser sent none, which is.
   */
  readonly userAgent: string | null;
  readonly language: string | null;
  /** The place according to a trusted proxy's headers. */
  readonly headerPlace: Place | null;
  readonly hasOptedOut: boolean;
  /** The event's own time. */
  readonly timeMs: number;
  readonly nowMs: number;
  /** The sender's id of the event. */
  readonly dedupeId: string | null;
  /** What another program has found out already, in place of address and user agent. */
  readonly known?: KnownFacts;
}

/** What an import says of a visitor where it has neither address nor user agent. */
export interface KnownFacts {
  /** The same for all events of a visitor. */
  readonly visitor: string;
  /** Read from the user agent when absent. */
  readonly platform?: Platform;
}

export interface IncomingRequest {
  readonly socketAddress: string | undefined;
  readonly headers: RequestHeaders;
  readonly trust: ProxyTrust;
  /** Networks whose geo headers are believed from trusted proxies; all when absent. */
  readonly geoNetworks?: readonly GeoHeaderNetwork[];
  readonly nowMs: number;
}

/** The facts of a request that a browser sent: its event happens now. */
export function requestFacts(request: IncomingRequest): RequestFacts {
  const { headers, nowMs, geoNetworks = GEO_HEADER_NETWORKS } = request;
  const client = clientAddress(request);
  return {
    address: client.address,
    userAgent: headerText(headers, 'user-agent') ?? '',
    language: preferredLanguage(headerText(headers, 'accept-language')),
    headerPlace: client.isProxied ? placeFromHeaders(headers, geoNetworks) : null,
    hasOptedOut: hasOptedOut(headers),
    timeMs: nowMs,
    nowMs,
    dedupeId: null,
  };
}

/** The facts of an item of a batch: the request is a server's, so its headers say nothing. */
export function batchFacts(
  item: {
    readonly address: string | null;
    readonly userAgent: string | null;
    readonly timeMs: number;
    readonly id: string | null;
  },
  nowMs: number,
): RequestFacts {
  return {
    address: item.address,
    userAgent: item.userAgent,
    language: null,
    headerPlace: null,
    hasOptedOut: false,
    timeMs: item.timeMs,
    nowMs,
    dedupeId: item.id,
  };
}
