import type { Site } from '@loggia/contract';

/**
 * The line that belongs into the head of every page of `site`. A site with features has a script of
 * its own, which carries them.
 *
 * @param baseUrl the server's public address without trailing slash.
 */
export function snippetOf(
  site: Pick<Site, 'domain' | 'scriptId' | 'settings'>,
  baseUrl: string,
): string {
  const file = site.settings.scriptFeatures.length > 0 ? `pa-${site.scriptId}.js` : 'script.js';
  const source = escapeAttribute(`${baseUrl}/js/${file}`);
  return `<script defer data-domain="${escapeAttribute(site.domain)}" src="${source}"></script>`;
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
