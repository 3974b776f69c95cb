// From what a person types to the id of one run.

import { UserError } from "../core/index.ts";
import { suggest } from "../core/suggest.ts";
import { type Row, type SqlStore, statement } from "./store.ts";

/** What references are looked up in. */
type Cards = Pick<SqlStore, "read">;

/** Ends of ids are random: four characters of base 32 are rarely shared. */
const SHORTEST_END = 4;
const SHOWN_CANDIDATES = 6;

/** The id of the run that a reference names; the rules are at `Ledger.resolve`. */
export async function resolveReference(cards: Cards, reference: string): Promise<string> {
  const back = /^(?<base>.+)~(?<steps>\d{1,9})$/.exec(reference)?.groups;
  const found =
    (await exactId(cards, reference)) ??
    (await nthNewest(cards, reference, 0)) ??
    (back && (await nthNewest(cards, back["base"] ?? "", Number(back["steps"])))) ??
    (await partOfId(cards, reference));
  if (found === null) throw await notFound(cards, reference);
  return found;
}

async function exactId(cards: Cards, id: string): Promise<string | null> {
  return idIn(await cards.read(statement("SELECT id FROM cards WHERE id = ?", id)));
}

/** `last` or a name, so many runs before the newest. */
async function nthNewest(cards: Cards, name: string, steps: number): Promise<string | null> {
  const order = "ORDER BY started_ms DESC, id DESC LIMIT 1 OFFSET ?";
  const nth =
    name === "last"
      ? statement(`SELECT id FROM cards ${order}`, steps)
      : statement(`SELECT id FROM cards WHERE name = ? ${order}`, name, steps);
  return idIn(await cards.read(nth));
}

async function partOfId(cards: Cards, part: string): Promise<string | null> {
  if (part === "") return null;
  const { length } = part;
  const begins = statement("substr(id, 1, ?) = ?", length, part);
  const ends = statement("substr(id, length(id) - ? + 1) = ?", length, part);
  const either = length < SHORTEST_END ? [begins] : [begins, ends];
  const rows = await cards.read(
    statement(
      `SELECT id, name FROM cards WHERE ${either.map(({ sql }) => sql).join(" OR ")}
       ORDER BY started_ms DESC, id DESC LIMIT ${SHOWN_CANDIDATES + 1}`,
      ...either.flatMap(({ values }) => values),
    ),
  );
  if (rows.length < 2) return idIn(rows);
  const shown = rows.slice(0, SHOWN_CANDIDATES).map(({ id, name }) => `${id} (${name})`);
  const more = rows.length > SHOWN_CANDIDATES ? ", ..." : "";
  throw new UserError("invalid-input", `${part} is the id of more than one run`, {
    hint: `Type more of it. It could be: ${shown.join(", ")}${more}`,
  });
}

async function notFound(cards: Cards, reference: string): Promise<UserError> {
  const rows = await cards.read(
    statement("SELECT id, name FROM cards ORDER BY started_ms DESC LIMIT 1000"),
  );
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

function idIn([row]: readonly Row[]): string | null {
  return row === undefined ? null : String(row["id"]);
}
