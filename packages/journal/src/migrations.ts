/** One numbered change of the schema. Statements run in order, in one transaction. */
export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

/** Counts up `configuration` when a row of `table` is inserted, changed or deleted (J9). */
function watched(table: string): readonly string[] {
  return ['insert', 'update', 'delete'].map(
    (event) =>
      `CREATE TRIGGER ${table}_${event} AFTER ${event.toUpperCase()} ON ${table} BEGIN
        UPDATE counter SET value = value + 1 WHERE name = 'configuration';
      END`,
  );
}

const ACCOUNTS: Migration = {
  name: 'accounts',
  statements: [
    `CREATE TABLE counter (
      name TEXT PRIMARY KEY,
      value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    `INSERT INTO counter (name, value) VALUES ('configuration', 0), ('change', 0), ('epoch', 0)`,
    `CREATE TABLE site (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      domain TEXT NOT NULL UNIQUE,
      timezone TEXT NOT NULL,
      created_ms INTEGER NOT NULL,
      script_id TEXT NOT NULL UNIQUE,
      settings TEXT NOT NULL
    ) STRICT`,
    `CREATE TABLE removed_site (
      id INTEGER PRIMARY KEY,
      removed_ms INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE goal (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      site_id INTEGER NOT NULL REFERENCES site (id) ON DELETE CASCADE,
      display_name TEXT NOT NULL,
      kind TEXT NOT NULL CHECK (kind IN ('event', 'page', 'scroll')),
      event_name TEXT,
      page_pattern TEXT,
      scroll_threshold INTEGER,
      currency TEXT,
      UNIQUE (site_id, display_name)
    ) STRICT`,
    `CREATE UNIQUE INDEX goal_by_aim ON goal (
      site_id, kind, ifnull(event_name, ''), ifnull(page_pattern, ''), ifnull(scroll_threshold, -1)
    )`,
    `CREATE TABLE user (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE COLLATE NOCASE,
      password_hash TEXT NOT NULL,
      created_ms INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE session (
      token_hash BLOB PRIMARY KEY,
      user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
      created_ms INTEGER NOT NULL,
      expires_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE api_key (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      key_hash BLOB NOT NULL UNIQUE,
      scopes TEXT NOT NULL,
      created_ms INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE setting (
      name TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`,
    ...['site', 'goal', 'user', 'api_key', 'setting'].flatMap(watched),
  ],
};

const TAIL: Migration = {
  name: 'tail',
  statements: [
    `CREATE TABLE visit (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      site_id INTEGER NOT NULL,
      visitor INTEGER NOT NULL,
      start_ms INTEGER NOT NULL,
      last_ms INTEGER NOT NULL,
      pageviews INTEGER NOT NULL,
      events INTEGER NOT NULL,
      bounce INTEGER NOT NULL,
      entry_hostname TEXT,
      entry_page TEXT,
      entry_ms INTEGER,
      exit_hostname TEXT,
      exit_page TEXT,
      exit_ms INTEGER,
      source TEXT,
      referrer TEXT,
      channel TEXT NOT NULL,
      utm_medium TEXT,
      utm_source TEXT,
      utm_campaign TEXT,
      utm_content TEXT,
      utm_term TEXT,
      click_id TEXT,
      country TEXT,
      region TEXT,
      region_name TEXT,
      city TEXT,
      city_name TEXT,
      browser TEXT,
      browser_version TEXT,
      os TEXT,
      os_version TEXT,
      device TEXT,
      screen TEXT,
      language TEXT,
      change INTEGER NOT NULL
    ) STRICT`,
    `CREATE INDEX visit_by_visitor ON visit (visitor)`,
    `CREATE INDEX visit_by_start ON visit (site_id, start_ms)`,
    `CREATE INDEX visit_by_change ON visit (change)`,
    `CREATE TABLE event (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      site_id INTEGER NOT NULL,
      visit_id INTEGER NOT NULL REFERENCES visit (id),
      visitor INTEGER NOT NULL,
      time_ms INTEGER NOT NULL,
      name TEXT NOT NULL,
      hostname TEXT NOT NULL,
      page TEXT NOT NULL,
      properties TEXT,
      revenue_milli INTEGER,
      revenue_currency TEXT,
      interactive INTEGER NOT NULL,
      scroll_depth INTEGER,
      engaged_ms INTEGER
    ) STRICT`,
    `CREATE INDEX event_by_visit ON event (visit_id)`,
    `CREATE TABLE seen_id (
      site_id INTEGER NOT NULL,
      dedupe_id TEXT NOT NULL,
      time_ms INTEGER NOT NULL,
      PRIMARY KEY (site_id, dedupe_id)
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX seen_id_by_time ON seen_id (time_ms)`,
    `CREATE TABLE alias (
      site_id INTEGER NOT NULL,
      alias INTEGER NOT NULL,
      visitor INTEGER NOT NULL,
      expires_ms INTEGER NOT NULL,
      PRIMARY KEY (site_id, alias, visitor)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE drop_count (
      site_id INTEGER NOT NULL,
      date TEXT NOT NULL,
      reason TEXT NOT NULL,
      count INTEGER NOT NULL,
      PRIMARY KEY (site_id, date, reason)
    ) STRICT, WITHOUT ROWID`,
  ],
};

const ARCHIVE: Migration = {
  name: 'archive',
  statements: [
    `INSERT INTO counter (name, value) VALUES ('archive', 0)`,
    `ALTER TABLE site ADD COLUMN zone_since_ms INTEGER NOT NULL DEFAULT 0`,
    `CREATE TABLE segment_set (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      level TEXT NOT NULL CHECK (level IN ('part', 'day', 'month')),
      sealed INTEGER NOT NULL,
      first_day INTEGER NOT NULL,
      last_day INTEGER NOT NULL,
      from_ms INTEGER NOT NULL,
      to_ms INTEGER NOT NULL,
      visits INTEGER NOT NULL,
      events INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE segment (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      set_id INTEGER NOT NULL REFERENCES segment_set (id),
      kind TEXT NOT NULL CHECK (kind IN ('visits', 'events', 'rollups', 'months')),
      format INTEGER NOT NULL,
      rows INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      sha256 TEXT NOT NULL,
      body BLOB NOT NULL,
      UNIQUE (set_id, kind)
    ) STRICT`,
    `CREATE TABLE archived_site (
      site_id INTEGER PRIMARY KEY,
      first_ms INTEGER NOT NULL
    ) STRICT`,
  ],
};

/**
 * The schema's whole history, oldest first. The version of a database (`user_version`) is the
 * number of migrations it has been through. A migration that has been released is never changed.
 */
export const MIGRATIONS: readonly Migration[] = [ACCOUNTS, TAIL, ARCHIVE];
