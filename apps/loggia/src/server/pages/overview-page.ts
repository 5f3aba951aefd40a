import { DROP_REASONS, type DropReason, type Site } from '@loggia/contract';
import { html, type Html } from './html.ts';
import { alert, layout } from './layout.ts';

/** Today's main numbers of one site; a number that is missing could not be had. */
export interface SiteToday {
  readonly site: Site;
  readonly snippet: string;
  readonly currentVisitors: number | undefined;
  readonly visitors: number | undefined;
  readonly visits: number | undefined;
  readonly pageviews: number | undefined;
  readonly bounceRate: number | null | undefined;
  readonly visitDurationSeconds: number | null | undefined;
  readonly hasEvents: boolean;
  /** Events of today that were not stored, by reason. */
  readonly drops: readonly { readonly reason: DropReason; readonly count: number }[];
}

/** The sites with their numbers of today, and the form that adds one. */
export function overviewPage(overview: {
  readonly sites: readonly SiteToday[];
  readonly timezones: readonly string[];
  readonly form?: { readonly domain: string; readonly timezone: string; readonly error: string };
}): string {
  return layout({
    title: 'Sites',
    isLoggedIn: true,
    body: html`<h1>Today</h1>
      ${
        overview.sites.length === 0
          ? html`<p class="lead">Nothing is counted yet. Add your first site.</p>`
          : html`<div class="sites">${overview.sites.map(siteCard)}</div>`
      }
      ${addSiteForm(overview.timezones, overview.form)}`,
  });
}

function siteCard(today: SiteToday): Html {
  const { site } = today;
  return html`<article class="card site" aria-labelledby="site-${site.id}">
    <h2 id="site-${site.id}">${site.domain}</h2>
    <p class="live">
      <span class="dot${(today.currentVisitors ?? 0) > 0 ? ' on' : ''}"></span
      >${current(today.currentVisitors)}<span class="zone">${site.timezone}</span>
    </p>
    <dl class="numbers">
      ${[
        figure('Visitors', count(today.visitors)),
        figure('Visits', count(today.visits)),
        figure('Page views', count(today.pageviews)),
        figure('Bounce rate', today.visits === 0 ? '–' : percent(today.bounceRate)),
        figure('Visit duration', today.visits === 0 ? '–' : duration(today.visitDurationSeconds)),
      ]}
    </dl>
    ${today.hasEvents ? '' : html`<p class="waiting">Waiting for the first page view. Put this line into the site’s pages, inside <code>&lt;head&gt;</code>:</p>`}
    ${
      today.hasEvents
        ? html`<details>
            <summary>Snippet</summary>
            ${snippet(today.snippet)}
          </details>`
        : snippet(today.snippet)
    }
    ${droppedList(today.drops)}
  </article>`;
}

function snippet(text: string): Html {
  return html`<pre><code>${text}</code></pre>`;
}

function droppedList(drops: SiteToday['drops']): Html | string {
  if (drops.length === 0) return '';
  const total = drops.reduce((sum, drop) => sum + drop.count, 0);
  return html`<details>
    <summary>${count(total)} not counted today</summary>
    <ul class="drops">
      ${drops.map(
        (drop) => html`<li><b>${count(drop.count)}</b> ${DROP_REASONS[drop.reason]}</li>`,
      )}
    </ul>
  </details>`;
}

function figure(label: string, value: string): Html {
  return html`<div>
    <dt>${label}</dt>
    <dd>${value}</dd>
  </div>`;
}

function addSiteForm(
  timezones: readonly string[],
  form: { readonly domain: string; readonly timezone: string; readonly error: string } | undefined,
): Html {
  return html`<section class="card add" aria-labelledby="add-site">
    <h2 id="add-site">Add a site</h2>
    ${alert(form?.error)}
    <form method="post" action="/sites">
      <div class="field">
        <label for="domain">Domain</label>
        <input
          id="domain"
          name="domain"
          required
          maxlength="253"
          placeholder="example.org"
          value="${form?.domain ?? ''}"
          autocapitalize="off"
          spellcheck="false"
        />
      </div>
      <div class="field">
        <label for="timezone">Time zone of its days</label>
        <input
          id="timezone"
          name="timezone"
          required
          list="timezones"
          value="${form?.timezone ?? 'UTC'}"
          autocapitalize="off"
          spellcheck="false"
        />
        <datalist id="timezones">
          ${timezones.map((each) => html`<option value="${each}"></option>`)}
        </datalist>
      </div>
      <button>Add site</button>
    </form>
  </section>`;
}

const COUNTS = new Intl.NumberFormat('en');

function count(value: number | undefined): string {
  return value === undefined ? '?' : COUNTS.format(value);
}

function current(visitors: number | undefined): string {
  if (visitors === undefined) return '';
  return visitors === 1 ? '1 current visitor' : `${count(visitors)} current visitors`;
}

function percent(value: number | null | undefined): string {
  if (value === undefined) return '?';
  return value === null ? '–' : `${value} %`;
}

/** `47s`, `3m 07s`, `1h 02m`. */
function duration(seconds: number | null | undefined): string {
  if (seconds === undefined) return '?';
  if (seconds === null) return '–';
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds}s`;
  const rest = String(seconds % 60).padStart(2, '0');
  if (minutes < 60) return `${minutes}m ${rest}s`;
  return `${Math.floor(minutes / 60)}h ${String(minutes % 60).padStart(2, '0')}m`;
}
