import type { Payload, Properties } from './payload.ts';

/** Settings under the names that `plausible.init({…})` takes them. */
export interface Settings {
  domain: string | undefined;
  endpoint: string | URL;
  autoCapturePageviews?: boolean;
  hashBasedRouting?: boolean;
  captureOnLocalhost?: boolean;
  logging?: boolean;
  outboundLinks?: boolean;
  fileDownloads?: boolean | { readonly fileExtensions?: readonly string[] };
  formSubmissions?: boolean;
  customProperties?: Properties | ((eventName: string) => Properties);
  transformRequest?: (payload: Payload) => Payload | null;
}

/**
 * The script's own element. Where a loader runs the script without one, the kernel looks for the id
 * `plausible`; the default script stops here with an error, before it has touched anything.
 */
export const element = (
  EXTENSIBLE
    ? document.currentScript || document.getElementById('plausible')
    : document.currentScript
) as HTMLScriptElement;

/** What the element says; the server's settings, then the page's own `init` call, go on top. */
export const settings: Settings = {
  domain: element.dataset['domain'],
  endpoint: element.dataset['api'] || new URL('/api/event', element.src),
};
