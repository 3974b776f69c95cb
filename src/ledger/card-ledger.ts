// The ledger's own part, whatever database it is on: cards to rows and back, filters, references.

import type { Card } from "../core/card.ts";
import { isCardId } from "../core/id.ts";
import { type Method, UserError } from "../core/index.ts";
import type { CardFilter, CardSummary, Ledger } from "./ledger.ts";
import { resolveReference } from "./resolve.ts";
import { type Row, type SqlStore, type SqlValue, type Statement, statement } from "./store.ts";

const PUT_CARD = `
  INSERT INTO cards (id, name, kind, status, started_ms, duration_s, energy_j, energy_method,
    emissions_gco2e, emissions_method, machine, card)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind,
    status = excluded.status, started_ms = excluded.started_ms, duration_s = excluded.duration_s,
    energy_j = excluded.energy_j, energy_method = excluded.energy_method,
    emissions_gco2e = excluded.emissions_gco2e, emissions_method = excluded.emissions_method,
    machine = excluded.machine, card = excluded.card`;

/** The ledger on a store; it owns the store from now on. */
export function cardLedger(store: SqlStore): Ledger {
  const { folder, place, writable } = store;
  const textOf = async (id: string): Promise<string | null> => {
    const [row] = await store.read(statement("SELECT card FROM cards WHERE id = ?", id));
    return row === undefined ? null : String(row["card"]);
  };
  return {
    folder,
    place,
    writable,
    resolve: (reference) => resolveReference(store, reference),
    async put(card) {
      // What is not a card must not enter: JSON would turn a NaN into null without a word.
      const { parseCard } = await loadSchema();
      await store.write(statementsOf(parseCard(card)));
    },
    async get(reference) {
      const id = await resolveReference(store, reference);
      const text = await textOf(id);
      if (text === null)
        throw new UserError("invalid-input", `${id} was just removed`, { hint: "" });
      return cardOf(text, { id, place, parseCard: (await loadSchema()).parseCard });
    },
    list: async (filter = {}) => (await store.read(selection(filter))).map(summaryOf),
    async *cards(filter = {}) {
      const rows = await store.read(selection(filter));
      const { parseCard } = await loadSchema();
      for (const { id } of rows) {
        const text = await textOf(String(id));
        // Null: removed by another process meanwhile.
        if (text !== null) yield cardOf(text, { id: String(id), place, parseCard });
      }
    },
    has: async (id) => (await textOf(id)) !== null,
    async remove(id) {
      const gone = statement("DELETE FROM cards WHERE id = ? RETURNING id", id);
      return (await store.write([gone])).length > 0;
    },
    close: () => store.close(),
  };
}

/** A card as it enters: its row, in the place of an older one of the same id, and its tags. */
function statementsOf(card: Card): readonly Statement[] {
  const { row, tags } = rowOf(card);
  return [
    statement(PUT_CARD, ...row),
    statement("DELETE FROM tags WHERE card = ?", card.id),
    ...tags.map(([key, value]) =>
      statement("INSERT INTO tags (card, key, value) VALUES (?, ?, ?)", card.id, key, value),
    ),
  ];
}

function rowOf(card: Card): { row: SqlValue[]; tags: [string, string][] } {
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
  at: { id: string; place: string; parseCard: (value: unknown) => Card },
): Card {
  try {
    return at.parseCard(JSON.parse(text));
  } catch (error) {
    if (error instanceof UserError && error.code === "unsupported") throw error;
    throw new UserError("ledger", `card ${at.id} in the ledger ${at.place} is damaged`, {
      hint: `Remove it with: godwit rm ${at.id}`,
      cause: error,
    });
  }
}

const SUMMARY_COLUMNS = `id, name, kind, status, started_ms, duration_s, energy_j, energy_method,
  emissions_gco2e, emissions_method, machine`;

function selection(filter: CardFilter): Statement {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const restrict = (condition: string, ...bound: SqlValue[]): void => {
    conditions.push(condition);
    values.push(...bound);
  };
  if (filter.name !== undefined) restrict("name = ?", filter.name);
  if (filter.nameContains !== undefined) {
    // LIKE, since its spelling is the same in both databases; its own signs are taken literally.
    const literally = filter.nameContains.replace(/[\\%_]/g, "\\$&");
    restrict("lower(name) LIKE lower(?) ESCAPE '\\'", `%${literally}%`);
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

function summaryOf(row: Row): CardSummary {
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
