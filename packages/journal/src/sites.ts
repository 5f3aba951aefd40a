import { DEFAULT_SITE_SETTINGS, type Site, type SiteSettings } from '@loggia/contract';
import { isTimeZone } from '@tandem/base';
import { integerOf, textOf } from './cell.ts';
import type { Cells, Connection, Query } from './connection.ts';
import { parseDomain, tryParseDomain } from './domain.ts';
import { JournalError } from './journal-error.ts';
import { newScriptId } from './secret.ts';
import { SitePurge } from './site-purge.ts';

export interface NewSite {
  /** Any spelling that `parseDomain` takes. */
  readonly domain: string;
  readonly timezone: string;
  /** What is absent has its default. */
  readonly settings?: Partial<SiteSettings>;
  readonly nowMs: number;
  /** 16 letters and digits; drawn at random when absent. */
  readonly scriptId?: string;
}

export interface SiteChange {
  readonly domain?: string;
  readonly timezone?: string;
  /** When the zone is changed; the present unless given. */
  readonly nowMs?: number;
  /** Settings that are named take the new value; the others stay. */
  readonly settings?: Partial<SiteSettings>;
}

const COLUMNS = 'id, domain, timezone, created_ms, script_id, settings, zone_since_ms';

/** The sites that are counted. */
export class Sites {
  readonly #connection: Connection;
  readonly #purge: SitePurge;
  readonly #insert: Query;
  readonly #byId: Query;
  readonly #byDomain: Query;
  readonly #byScriptId: Query;
  readonly #list: Query;
  readonly #update: Query;
  readonly #delete: Query;
  readonly #bury: Query;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#purge = new SitePurge(connection);
    this.#insert = connection.query(
      'INSERT INTO site (domain, timezone, created_ms, script_id, settings) VALUES (?, ?, ?, ?, ?)',
    );
    this.#byId = connection.query(`SELECT ${COLUMNS} FROM site WHERE id = ?`);
    this.#byDomain = connection.query(`SELECT ${COLUMNS} FROM site WHERE domain = ?`);
    this.#byScriptId = connection.query(`SELECT ${COLUMNS} FROM site WHERE script_id = ?`);
    this.#list = connection.query(`SELECT ${COLUMNS} FROM site ORDER BY domain`);
    this.#update = connection.query(
      'UPDATE site SET domain = ?, timezone = ?, settings = ?, zone_since_ms = ? WHERE id = ?',
    );
    this.#delete = connection.query('DELETE FROM site WHERE id = ?');
    this.#bury = connection.query('INSERT INTO removed_site (id, removed_ms) VALUES (?, ?)');
  }

  /** @throws JournalError `site_exists`, `bad_domain`, `bad_timezone`. */
  create(site: NewSite): Site {
    const domain = parseDomain(site.domain);
    const timezone = checkedTimezone(site.timezone);
    const scriptId = site.scriptId ?? newScriptId();
    const settings = JSON.stringify(site.settings ?? {});
    return this.#connection.atomically(() => {
      this.#refuseTaken(domain);
      const id = this.#insert.insert(domain, timezone, site.nowMs, scriptId, settings);
      return this.#mustFind(id);
    });
  }

  byId(id: number): Site | undefined {
    return siteOf(this.#byId.get(id));
  }

  /** The site of that name in any spelling that `parseDomain` takes. */
  byDomain(text: string): Site | undefined {
    const domain = tryParseDomain(text);
    return domain === undefined ? undefined : siteOf(this.#byDomain.get(domain));
  }

  byScriptId(scriptId: string): Site | undefined {
    return siteOf(this.#byScriptId.get(scriptId));
  }

  /** All sites, by name. */
  list(): Site[] {
    return this.#list.all().map(readSite);
  }

  /** @throws JournalError `site_missing`, `site_exists`, `bad_domain`, `bad_timezone`. */
  update(id: number, change: SiteChange): Site {
    const domain = change.domain === undefined ? undefined : parseDomain(change.domain);
    const timezone = change.timezone === undefined ? undefined : checkedTimezone(change.timezone);
    return this.#connection.atomically(() => {
      const site = this.#mustFind(id);
      if (domain !== undefined && domain !== site.domain) this.#refuseTaken(domain);
      const isZoneKept = timezone === undefined || timezone === site.timezone;
      const zoneSinceMs = isZoneKept ? site.zoneSinceMs : (change.nowMs ?? Date.now());
      this.#update.run(
        domain ?? site.domain,
        timezone ?? site.timezone,
        JSON.stringify({ ...site.settings, ...change.settings }),
        zoneSinceMs,
        id,
      );
      return this.#mustFind(id);
    });
  }

  /**
   * Removes a site and its goals; its name is free at once and its id is never used again. Its
   * other rows go by `purgeStep`. False when there is no such site.
   */
  remove(id: number, nowMs: number): boolean {
    return this.#connection.atomically(() => {
      if (this.#delete.run(id) === 0) return false;
      this.#bury.run(id, nowMs);
      return true;
    });
  }

  /**
   * Deletes up to `rowsMax` rows of removed sites in one transaction and returns how many it
   * deleted; 0 when none is left. It may be called at any time and again after a crash.
   */
  purgeStep(rowsMax: number): number {
    return this.#purge.step(rowsMax);
  }

  #refuseTaken(domain: string): void {
    if (this.#byDomain.get(domain) === undefined) return;
    throw new JournalError('site_exists', `the site ${domain} exists already`);
  }

  #mustFind(id: number): Site {
    const site = this.byId(id);
    if (site !== undefined) return site;
    throw new JournalError('site_missing', `no site has the id ${id}`);
  }
}

function checkedTimezone(timezone: string): string {
  if (isTimeZone(timezone)) return timezone;
  throw new JournalError('bad_timezone', `'${timezone}' is not a time zone`, {
    hint: 'Give an IANA name such as Europe/Berlin or UTC.',
  });
}

function siteOf(cells: Cells | undefined): Site | undefined {
  return cells === undefined ? undefined : readSite(cells);
}

function readSite(cells: Cells): Site {
  // Only this class writes the column, and only from settings.
  const settings = JSON.parse(textOf(cells[5])) as Partial<SiteSettings>;
  return {
    id: integerOf(cells[0]),
    domain: textOf(cells[1]),
    timezone: textOf(cells[2]),
    createdMs: integerOf(cells[3]),
    scriptId: textOf(cells[4]),
    settings: { ...DEFAULT_SITE_SETTINGS, ...settings },
    zoneSinceMs: integerOf(cells[6]),
  };
}
