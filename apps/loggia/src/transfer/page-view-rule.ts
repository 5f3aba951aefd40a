import type { LogEntry } from './log-entry.ts';

/** Endings of paths that are parts of pages, or no pages. */
const ASSET_ENDINGS: ReadonlySet<string> = new Set(
  (
    'css js mjs map json jsonld xml txt csv ico png jpg jpeg gif svg webp avif bmp tif tiff ' +
    'woff woff2 ttf otf eot mp3 mp4 m4a m4v webm ogg oga ogv opus wav flac mov avi mkv vtt ' +
    'pdf zip gz tgz bz2 xz zst rar 7z tar dmg exe msi deb rpm apk iso bin wasm ' +
    'webmanifest rss atom ics swf doc docx xls xlsx ppt pptx'
  ).split(' '),
);

/**
 * Why a request is no page view, or null when it is one: a page was asked for by GET and given. The
 * answer's type decides where the log has it, else the ending of the path.
 */
export function reasonNoPageView(
  entry: LogEntry,
  isOwnHost: (host: string) => boolean,
): string | null {
  if (entry.method !== 'GET') return 'not_get';
  if (entry.host !== null && !isOwnHost(entry.host)) return 'other_host';
  if (!isGiven(entry.status)) return 'not_given';
  if (entry.isPrefetch) return 'prefetch';
  return isPage(entry) ? null : 'asset';
}

/** A page that had not changed since the visitor's last time was seen all the same. */
function isGiven(status: number): boolean {
  return (status >= 200 && status < 300 && status !== 206) || status === 304;
}

function isPage({ target, contentType, fetchDest }: LogEntry): boolean {
  if (fetchDest !== null && fetchDest !== 'document') return false;
  if (contentType !== null) return /^(?:text\/html|application\/xhtml\+xml)\b/i.test(contentType);
  const path = target.split(/[?#]/, 1)[0] ?? '';
  if (path.startsWith('/.well-known/')) return false;
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1];
  return ending === undefined || !ASSET_ENDINGS.has(ending.toLowerCase());
}
