// The tables of a ledger. A card is kept whole, as its JSON text; beside it stand only the columns
// that runs are found and listed by. Migrations are append-only: the version of a ledger is how many
// of them it has had.

/** The steps from an empty SQLite file to the newest version. Never edit one that was released. */
export const SQLITE_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE cards (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    started_ms REAL NOT NULL,
    duration_s REAL NOT NULL,
    energy_j REAL,
    energy_method TEXT,
    emissions_gco2e REAL,
    emissions_method TEXT,
    machine TEXT NOT NULL,
    card TEXT NOT NULL
  ) STRICT;
  CREATE INDEX cards_by_start ON cards (started_ms, id);
  CREATE INDEX cards_by_name ON cards (name, started_ms);

  CREATE TABLE tags (
    card TEXT NOT NULL REFERENCES cards (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (card, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tags_by_value ON tags (key, value);
  `,
];

/**
 * The same for PostgreSQL, inside the schema `godwit`. Ids sort by their bytes, as in SQLite,
 * whatever the database's language. Never edit one that was released.
 */
export const POSTGRES_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE cards (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    started_ms DOUBLE PRECISION NOT NULL,
    duration_s DOUBLE PRECISION NOT NULL,
    energy_j DOUBLE PRECISION,
    energy_method TEXT,
    emissions_gco2e DOUBLE PRECISION,
    emissions_method TEXT,
    machine TEXT NOT NULL,
    card TEXT NOT NULL
  );
  CREATE INDEX cards_by_start ON cards (started_ms, id);
  CREATE INDEX cards_by_name ON cards (name, started_ms);

  CREATE TABLE tags (
    card TEXT COLLATE "C" NOT NULL REFERENCES cards (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (card, key)
  );
  CREATE INDEX tags_by_value ON tags (key, value);
  `,
];

/** The same for the jobs beside a ledger, always SQLite. Never edit one that was released. */
export const JOB_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    engine TEXT NOT NULL,
    state TEXT NOT NULL,
    submitted_s REAL NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX jobs_by_state ON jobs (state, submitted_s);

  CREATE TABLE job_entries (
    entry INTEGER PRIMARY KEY,
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    at_s REAL NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX job_entries_by_job ON job_entries (job, entry);

  CREATE TABLE job_secrets (
    job TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    text TEXT NOT NULL
  ) STRICT;

  CREATE TABLE roles (role TEXT PRIMARY KEY, holder TEXT NOT NULL) STRICT;
  `,
];
