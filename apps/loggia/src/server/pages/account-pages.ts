import { html } from './html.ts';
import { alert, layout } from './layout.ts';

/** Before there is any account: how to get the set-up link. */
export function waitingPage(): string {
  return layout({
    title: 'Almost there',
    body: html`<section class="card narrow">
      <h1>Almost there</h1>
      <p>This server has no account yet. Open the set-up link that it printed when it started.</p>
      <p>Lost it? This prints a new one:</p>
      <pre><code>npx loggia setup</code></pre>
    </section>`,
  });
}

/** The form that makes the first account. */
export function setupPage(form: {
  readonly token: string;
  readonly name?: string;
  readonly error?: string;
}): string {
  return layout({
    title: 'Set up',
    body: html`<section class="card narrow">
      <h1>Welcome</h1>
      <p>Make the account that looks after this server.</p>
      ${alert(form.error)}
      <form method="post" action="/setup">
        <input type="hidden" name="token" value="${form.token}" />
        <label for="name">Name</label>
        <input
          id="name"
          name="name"
          autocomplete="username"
          required
          maxlength="100"
          value="${form.name ?? ''}"
          autofocus
        />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="new-password"
          required
          minlength="8"
          maxlength="1000"
          aria-describedby="password-hint"
        />
        <p class="hint" id="password-hint">At least 8 characters.</p>
        <button>Make account</button>
      </form>
    </section>`,
  });
}

/** The set-up link was used, replaced or mistyped. */
export function spentSetupPage(): string {
  return layout({
    title: 'Set up',
    body: html`<section class="card narrow">
      <h1>This link does not work any more</h1>
      <p>
        It was used already, or a newer one was made. This prints a new one as long as there is no
        account:
      </p>
      <pre><code>npx loggia setup</code></pre>
      <p><a href="/login">Log in</a></p>
    </section>`,
  });
}

export function loginPage(form: { readonly name?: string; readonly error?: string }): string {
  return layout({
    title: 'Log in',
    body: html`<section class="card narrow">
      <h1>Log in</h1>
      ${alert(form.error)}
      <form method="post" action="/login">
        <label for="name">Name</label>
        <input
          id="name"
          name="name"
          autocomplete="username"
          required
          maxlength="100"
          value="${form.name ?? ''}"
          autofocus
        />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
          maxlength="1000"
        />
        <button>Log in</button>
      </form>
    </section>`,
  });
}

/** Any error that a person meets in the browser. */
export function problemPage(problem: {
  readonly title: string;
  readonly message: string;
  readonly hint?: string;
}): string {
  return layout({
    title: problem.title,
    body: html`<section class="card narrow">
      <h1>${problem.title}</h1>
      <p>${problem.message}</p>
      ${problem.hint === undefined ? '' : html`<p class="hint">${problem.hint}</p>`}
      <p><a href="/">Back to the sites</a></p>
    </section>`,
  });
}
