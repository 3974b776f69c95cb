// The tables of a ledger. A card is kept whole, as its JSON text; beside it stand only the columns
// that runs are found and listed by. Migrations are append-only: the version of a file is how many
// of them it has had.

/** The steps from an empty file to the newest version. Never edit one that was released. */
export const MIGRATIONS: readonly string[] = [
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
