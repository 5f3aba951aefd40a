/** One request, as a web server's access log tells it. Null is what the log does not say. */
export interface LogEntry {
  readonly timeMs: number;
  /** Of the client, as far as the server knew. */
  readonly address: string | null;
  readonly forwardedFor: string | null;
  readonly method: string;
  /** Path and query as they were asked for. */
  readonly target: string;
  readonly host: string | null;
  readonly status: number;
  readonly referrer: string | null;
  /** Empty when the client sent none. */
  readonly userAgent: string;
  readonly acceptLanguage: string | null;
  /** Of the answer. */
  readonly contentType: string | null;
  /** Whether the browser fetched it in advance. */
  readonly isPrefetch: boolean;
  /** `Sec-Fetch-Dest`. */
  readonly fetchDest: string | null;
}
