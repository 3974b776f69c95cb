// From what a person types to the id of one run.

import type { DatabaseSync } from "node:sqlite";
import { UserError } from "../core/index.ts";
import { suggest } from "../core/suggest.ts";

/** Ends of ids are random: four characters of base 32 are rarely shared. */
const SHORTEST_END = 4;
const SHOWN_CANDIDATES = 6;

/** The id of the run that a reference names; the rules are at `Ledger.resolve`. */
export function resolveReference(database: DatabaseSync, reference: string): string {
  const back = /^(?<base>.+)~(?<steps>\d{1,9})$/.exec(reference)?.groups;
  const found =
    exactId(database, reference) ??
    nthNewest(database, reference, 0) ??
    (back && nthNewest(database, back["base"] ?? "", Number(back["steps"]))) ??
    partOfId(database, reference);
  if (found === null) throw notFound(database, reference);
  return found;
}

function exactId(database: DatabaseSync, id: string): string | null {
  return idIn(database.prepare("SELECT id FROM cards WHERE id = ?").get(id));
}

/** `last` or a name, so many runs before the newest. */
function nthNewest(database: DatabaseSync, name: string, steps: number): string | null {
  const order = "ORDER BY started_ms DESC, id DESC LIMIT 1 OFFSET ?";
  if (name === "last") return idIn(database.prepare(`SELECT id FROM cards ${order}`).get(steps));
  return idIn(database.prepare(`SELECT id FROM cards WHERE name = ? ${order}`).get(name, steps));
}

function partOfId(database: DatabaseSync, part: string): string | null {
  if (part === "") return null;
  const rows = database
    .prepare(
      `SELECT id, name FROM cards
       WHERE substr(id, 1, ?) = ? OR (? >= ${SHORTEST_END} AND substr(id, -?) = ?)
       ORDER BY started_ms DESC, id DESC LIMIT ${SHOWN_CANDIDATES + 1}`,
    )
    .all(part.length, part, part.length, part.length, part);
  if (rows.length < 2) return idIn(rows[0]);
  const shown = rows.slice(0, SHOWN_CANDIDATES).map(({ id, name }) => `${id} (${name})`);
  const more = rows.length > SHOWN_CANDIDATES ? ", ..." : "";
  throw new UserError("invalid-input", `${part} is the id of more than one run`, {
    hint: `Type more of it. It could be: ${shown.join(", ")}${more}`,
  });
}

function notFound(database: DatabaseSync, reference: string): UserError {
  const rows = database
    .prepare("SELECT id, name FROM cards ORDER BY started_ms DESC LIMIT 1000")
    .all();
  if (rows.length === 0) {
    return new UserError("invalid-input", `no run ${reference}: the ledger is empty`, {
      hint: "Measure something first: godwit run -- COMMAND",
    });
  }
  const known = rows.flatMap(({ id, name }) => [String(id), String(name)]);
  const similar = suggest(reference, ["last", ...known]);
  return new UserError("invalid-input", `no run ${reference} in the ledger`, {
    hint:
      similar === null
        ? "godwit runs lists what there is; `last` is the newest."
        : `Did you mean ${similar}?`,
  });
}

function idIn(row: Record<string, unknown> | undefined): string | null {
  return row === undefined ? null : String(row["id"]);
}
