// The ledger on one SQLite file, which many processes may write at once.

import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { Card } from "../core/card.ts";
import { isCardId } from "../core/id.ts";
import { type Method, UserError } from "../core/index.ts";
import { type Patience, patiently } from "./database.ts";
import type { CardFilter, CardSummary, Ledger } from "./ledger.ts";
import { resolveReference } from "./resolve.ts";

interface Opened {
  readonly database: DatabaseSync;
  readonly folder: string;
  readonly path: string;
  readonly writable: boolean;
  readonly patience: Patience;
}

const PUT_CARD = `
  INSERT INTO cards (id, name, kind, status, started_ms, duration_s, energy_j, energy_method,
    emissions_gco2e, emissions_method, machine, card)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind,
    status = excluded.status, started_ms = excluded.started_ms, duration_s = excluded.duration_s,
    energy_j = excluded.energy_j, energy_method = excluded.energy_method,
    emissions_gco2e = excluded.emissions_gco2e, emissions_method = excluded.emissions_method,
    machine = excluded.machine, card = excluded.card`;

/** The ledger on a database that was opened and migrated; it owns the database from now on. */
export function sqliteLedger({ database, folder, path, writable, patience }: Opened): Ledger {
  const reading = <T>(action: () => T): Promise<T> => patiently(path, patience, action);
  const writing = async <T>(action: () => T): Promise<T> => {
    if (!writable) {
      throw new UserError("ledger", `the ledger ${path} cannot be written`, {
        hint: "Make the file and its folder writable, or name another folder with --ledger.",
      });
    }
    return patiently(path, patience, () => inTransaction(database, action));
  };
  const textOf = (id: string): string | null => {
    const row = database.prepare("SELECT card FROM cards WHERE id = ?").get(id);
    return row === undefined ? null : String(row["card"]);
  };
  const resolve = (reference: string): Promise<string> =>
    reading(() => resolveReference(database, reference));

  return {
    folder,
    writable,
    resolve,
    async put(card) {
      // What is not a card must not enter: JSON would turn a NaN into null without a word.
      const { parseCard } = await loadSchema();
      const { row, tags } = rowOf(parseCard(card));
      await writing(() => {
        database.prepare(PUT_CARD).run(...row);
        database.prepare("DELETE FROM tags WHERE card = ?").run(card.id);
        const tag = database.prepare("INSERT INTO tags (card, key, value) VALUES (?, ?, ?)");
        for (const [key, value] of tags) tag.run(card.id, key, value);
      });
    },
    async get(reference) {
      const id = await resolve(reference);
      const text = await reading(() => textOf(id));
      if (text === null)
        throw new UserError("invalid-input", `${id} was just removed`, { hint: "" });
      return cardOf(text, { id, path, parseCard: (await loadSchema()).parseCard });
    },
    async list(filter = {}) {
      const { sql, values } = selection(filter);
      const rows = await reading(() => database.prepare(`SELECT * FROM (${sql})`).all(...values));
      return rows.map(summaryOf);
    },
    async *cards(filter = {}) {
      const { sql, values } = selection(filter);
      const rows = await reading(() => database.prepare(sql).all(...values));
      const { parseCard } = await loadSchema();
      for (const { id } of rows) {
        const text = await reading(() => textOf(String(id)));
        // Null: removed by another process meanwhile.
        if (text !== null) yield cardOf(text, { id: String(id), path, parseCard });
      }
    },
    has: async (id) => (await reading(() => textOf(id))) !== null,
    remove: (id) =>
      writing(() => database.prepare("DELETE FROM cards WHERE id = ?").run(id).changes > 0),
    close() {
      if (database.isOpen) database.close();
    },
  };
}

function inTransaction<T>(database: DatabaseSync, action: () => T): T {
  // Immediate: a transaction that reads first and then cannot write would have to start over.
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = action();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function rowOf(card: Card): { row: SQLInputValue[]; tags: [string, string][] } {
  if (!isCardId(card.id)) {
    throw new UserError("invalid-input", `${JSON.stringify(card.id)} cannot be a card's id`, {
      hint: "An id has at most 64 letters, digits, dashes and underscores.",
    });
  }
  const { subject, measures } = card;
  const energy = measures.energy?.[card.boundary.headline];
  const row = [
    card.id,
    subject.name,
    subject.kind,
    card.status,
    Date.parse(card.startedAt),
    measures.duration.value,
    energy?.value ?? null,
    energy?.method ?? null,
    measures.emissions?.value ?? null,
    measures.emissions?.method ?? null,
    card.machine.id,
    JSON.stringify(card),
  ];
  return { row, tags: Object.entries(subject.tags) };
}

/** Only when a card comes in or out: the schema's library takes 18 MB, which a waiting run need not. */
const loadSchema = () => import("../core/card.ts");

function cardOf(
  text: string,
  at: { id: string; path: string; parseCard: (value: unknown) => Card },
): Card {
  try {
    return at.parseCard(JSON.parse(text));
  } catch (error) {
    if (error instanceof UserError && error.code === "unsupported") throw error;
    throw new UserError("ledger", `card ${at.id} in the ledger ${at.path} is damaged`, {
      hint: `Remove it with: godwit rm ${at.id}`,
      cause: error,
    });
  }
}

const SUMMARY_COLUMNS = `id, name, kind, status, started_ms, duration_s, energy_j, energy_method,
  emissions_gco2e, emissions_method, machine`;

function selection(filter: CardFilter): { sql: string; values: SQLInputValue[] } {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  const restrict = (condition: string, ...bound: SQLInputValue[]): void => {
    conditions.push(condition);
    values.push(...bound);
  };
  if (filter.name !== undefined) restrict("name = ?", filter.name);
  if (filter.nameContains !== undefined) {
    restrict("instr(lower(name), lower(?)) > 0", filter.nameContains);
  }
  for (const [key, value] of Object.entries(filter.tags ?? {})) {
    restrict("id IN (SELECT card FROM tags WHERE key = ? AND value = ?)", key, value);
  }
  if (filter.since !== undefined) restrict("started_ms >= ?", filter.since);
  if (filter.status !== undefined) restrict("status = ?", filter.status);
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const limit = filter.limit === undefined ? "" : "LIMIT ?";
  if (filter.limit !== undefined) values.push(filter.limit);
  const order = "ORDER BY started_ms DESC, id DESC";
  return { sql: `SELECT ${SUMMARY_COLUMNS} FROM cards ${where} ${order} ${limit}`, values };
}

function summaryOf(row: Record<string, SQLOutputValue>): CardSummary {
  return {
    id: String(row["id"]),
    name: String(row["name"]),
    kind: String(row["kind"]) as CardSummary["kind"],
    status: String(row["status"]) as CardSummary["status"],
    startedAt: new Date(Number(row["started_ms"])).toISOString(),
    durationS: Number(row["duration_s"]),
    energy:
      row["energy_j"] === null
        ? null
        : { joules: Number(row["energy_j"]), method: String(row["energy_method"]) as Method },
    emissions:
      row["emissions_gco2e"] === null
        ? null
        : {
            gramsCO2e: Number(row["emissions_gco2e"]),
            method: String(row["emissions_method"]) as Method,
          },
    machine: String(row["machine"]),
  };
}
