import type { Host, Resource } from './public-web.ts';

/** The way out of every page: to a host that counts nothing, so that the page is really left. */
const EXIT = '<a id="exit" href="http://elsewhere.test/">Elsewhere</a>';

function page(title: string, head: string, body: string, status = 200): Resource {
  return {
    status,
    body: `<!doctype html>
      <html lang="en">
        <head>
          <title>${title}</title>
          <style>body, h1 { margin: 0; }</style>
          ${head}
        </head>
        <body><h1>${title}</h1>${body}${EXIT}</body>
      </html>`,
  };
}

/** A site of these pages; anything else is missing there. */
function hostOf(pages: Readonly<Record<string, Resource>>, missing?: Resource): Host {
  return (path) => (Object.hasOwn(pages, path) ? pages[path] : missing);
}

/** Pages without any script that only link to a site. */
export function plainHost(links: Readonly<Record<string, string>> = {}): Host {
  const anchors = Object.entries(links).map(([id, url]) => `<a id="${id}" href="${url}">${id}</a>`);
  return () => page('Plain', '', anchors.join(' '));
}

/** A shop: a long first page, and products that an application shows by changing the address. */
export function shop(snippet: string): Host {
  const restored = `<script>
    addEventListener('pageshow', (event) => { window.wasRestored = event.persisted; });
  </script>`;
  const tall = '<style>body { height: 2880px; }</style>';
  const products = `
    <button id="first" onclick="history.pushState({}, '', '/products/1?color=red')">One</button>
    <button id="second" onclick="history.pushState({}, '', '/products/2#reviews')">Two</button>`;
  return hostOf({
    '/': page('Shop', snippet + restored + tall, '<a id="products" href="/products">All</a>'),
    '/products': page('Products', snippet, products),
    '/cart': page('Cart', snippet, ''),
  });
}

/** Documentation with everything that people click. */
export function documentation(snippet: string): Host {
  const order = [
    'plausible-event-name=Order',
    'plausible-event-size=XL+wide',
    'plausible-revenue-amount=12.50',
    'plausible-revenue-currency=EUR',
  ];
  return hostOf(
    {
      '/': page(
        'Documentation',
        snippet,
        `<a id="outbound" target="_blank" href="http://elsewhere.test/paper?q=1#part">Paper</a>
        <a id="file" href="/files/Report.pdf?v=2">Report</a>
        <button id="order" class="${order.join(' ')}">Order</button>
        <a id="contact" href="/contact">Contact</a>`,
      ),
      '/contact': page(
        'Contact',
        snippet,
        `<form action="/thanks"><input id="text" name="text" required><button id="send">Send</button></form>`,
      ),
      '/thanks': page('Thanks', snippet, '<a id="gone" href="/gone">A dead link</a>'),
      '/files/Report.pdf': { type: 'application/pdf', isAttachment: true, body: 'a file' },
    },
    page('Not found', snippet, '', 404),
  );
}

/** An application that keeps its place in the fragment. */
export function application(snippet: string): Host {
  return hostOf({
    '/': page('Application', snippet, '<a id="settings" href="#/settings">Settings</a>'),
  });
}

/**
 * A page to be hidden and shown. Half a minute passes whenever it has got the reader's attention,
 * which it tells as `attended`, and a minute whenever it has been hidden, which it tells too. Its
 * listeners come after the script's.
 */
export function reading(snippet: string): Host {
  const clock = `<script>
    window.__plausible = true;
    let nowMs = 0;
    let isAttended = false;
    performance.now = () => nowMs;
    const look = () => {
      if (document.hidden === !isAttended || (!document.hidden && !document.hasFocus())) return;
      isAttended = !document.hidden;
      nowMs += isAttended ? 30000 : 60000;
      plausible(isAttended ? 'attended' : 'hidden', { interactive: false });
    };
    addEventListener('load', () => {
      addEventListener('visibilitychange', look);
      addEventListener('focus', look);
      look();
    });
  </script>`;
  return hostOf({ '/story': page('Story', clock + snippet, '') });
}

/** Any path shows a page whose program is `code`, with a file and a form that goes nowhere. */
export function clientPages(code: string): Host {
  const body = `
    <a id="file" href="/files/Report.pdf">Report</a>
    <form onsubmit="return false"><button id="send">Send</button></form>`;
  const pages = hostOf({
    '/client.js': { type: 'text/javascript', body: code },
    '/files/Report.pdf': { type: 'application/pdf', isAttachment: true, body: 'a file' },
  });
  const client = page('Client', '<script defer src="/client.js"></script>', body);
  return (path) => pages(path) ?? client;
}
