import { onClick } from './clicks.ts';
import { claimed, element, settings, track } from './kernel.ts';

/** What counts as a download unless the page says otherwise: Plausible's list. */
const FILE_TYPES =
  'pdf,xlsx,docx,txt,rtf,csv,exe,key,pps,ppt,pptx,7z,pkg,rar,gz,zip,avi,mov,mp4,mpeg,wmv,midi,mp3,wav,wma,dmg';

function fileTypes(): readonly string[] {
  const chosen = settings.fileDownloads;
  if (typeof chosen === 'object' && chosen.fileExtensions) return chosen.fileExtensions;
  const own = element.getAttribute('file-types') || FILE_TYPES;
  return `${own},${element.getAttribute('add-file-types') || ''}`.split(/[\s,]+/);
}

function hasFileType(link: HTMLAnchorElement): boolean {
  const [, type = ''] = /\.(\w+)$/.exec(link.pathname) || [];
  return !!type && fileTypes().includes(type.toLowerCase());
}

onClick((event, link) => {
  if (!link || claimed.has(event)) return;
  if (settings.outboundLinks && link.host !== location.host) {
    track('Outbound Link: Click', { props: { url: link.href } });
  } else if (settings.fileDownloads && hasFileType(link)) {
    track('File Download', { props: { url: link.href.replace(/[?#].*/, '') } });
  }
});
