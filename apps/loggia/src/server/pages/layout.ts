import { html, type Html } from './html.ts';

/** A page with the product's head and, for whoever is logged in, the way out. */
export function layout(page: {
  readonly title: string;
  readonly body: Html;
  readonly isLoggedIn?: boolean;
}): string {
  const out =
    page.isLoggedIn === true
      ? html`<form method="post" action="/logout"><button class="quiet">Log out</button></form>`
      : '';
  const markup = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${page.title} · Loggia</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/page.css" />
      </head>
      <body>
        <header>
          <a class="brand" href="/"
            ><img src="/assets/icon.svg" alt="" width="22" height="22" />Loggia</a
          >${out}
        </header>
        <main>${page.body}</main>
      </body>
    </html> `;
  return markup.toString();
}

/** A form's error message, read out by screen readers, or nothing. */
export function alert(message: string | undefined): Html | string {
  return message === undefined ? '' : html`<p class="alert" role="alert">${message}</p>`;
}
