import { headerText, type RequestHeaders } from './request-headers.ts';

/** Whether the browser asks not to be tracked: `Sec-GPC: 1` or `DNT: 1`. */
export function hasOptedOut(headers: RequestHeaders): boolean {
  return [headerText(headers, 'sec-gpc'), headerText(headers, 'dnt')].some(
    (value) => value?.trim() === '1',
  );
}
