import { init, track } from '@plausible-analytics/tracker';

init({
  domain: 'new.test',
  endpoint: 'http://stats.test/api/event',
  outboundLinks: true,
  fileDownloads: true,
  formSubmissions: true,
  customProperties: { author: 'Ada' },
});
Object.assign(globalThis, { track });
