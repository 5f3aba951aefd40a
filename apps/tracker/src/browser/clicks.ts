const MIDDLE_BUTTON = 1;

/**
 * Calls `listener` for each click that activates something, with the link around the target.
 *
 * Listening comes first, in the capturing phase, and never holds anything up: whatever the page
 * does with the click, cancelling included, it can do as if nobody watched.
 */
export function onClick(listener: (event: Event, link: HTMLAnchorElement | undefined) => void) {
  const listen = (event: MouseEvent) => {
    if (event.type === 'auxclick' && event.button !== MIDDLE_BUTTON) return;
    const path = event.composedPath() as Partial<HTMLAnchorElement>[];
    // Links and areas have both; a shadow root has `host` alone, an SVG link `href` alone.
    listener(event, path.find((node) => node.href && node.host) as HTMLAnchorElement | undefined);
  };
  document.addEventListener('click', listen, true);
  document.addEventListener('auxclick', listen, true);
}
