// What a run amounts to in everyday things: docs/methods/equivalents.md. The factors and where they
// come from are in data/equivalents.

import type { Card } from "../core/card.ts";
import { parseCsvTable } from "../core/csv.ts";
import {
  type AnyFigure,
  type Figure,
  figure,
  type Host,
  product,
  significant,
} from "../core/index.ts";
import { headlineEnergy } from "./headline.ts";

/** An everyday thing and the energy or emissions that one of it stands for. */
export interface Everyday {
  readonly id: string;
  readonly amount: Figure<"J"> | Figure<"gCO2e">;
  /** Name of one, and of any other number. */
  readonly one: string;
  readonly many: string;
  /** What exactly one of it is. */
  readonly per: string;
  readonly year: number;
}

/** A count of everyday things. */
export interface Equivalent {
  readonly thing: Everyday;
  readonly count: Figure<"1">;
}

/** Below this a count says nothing. */
const LEAST = 0.05;

/** The shipped table. */
export async function loadEveryday(host: Host): Promise<readonly Everyday[]> {
  return parseEveryday(await host.readData("equivalents/equivalents.csv"));
}

/** The table from its text. Throws RangeError or SyntaxError on a malformed one. */
export function parseEveryday(csv: string): readonly Everyday[] {
  return parseCsvTable(csv).map((row) => {
    const year = Number(row["year"]);
    const interval = { low: Number(row["low"]), high: Number(row["high"]) };
    const origin = { method: "declared", source: `${row["source"]}; ${year}` } as const;
    const unit = row["unit"];
    if (unit !== "J" && unit !== "gCO2e") throw new RangeError(`${row["id"]}: unit ${unit}`);
    return {
      id: row["id"] ?? "",
      amount: figure<"J" | "gCO2e">(
        unit,
        Number(row["value"]),
        interval,
        origin,
      ) as Everyday["amount"],
      one: row["one"] ?? "",
      many: row["many"] ?? "",
      per: row["per"] ?? "",
      year,
    };
  });
}

/** The counts worth showing for a card, in the order of the table. */
export function equivalentsOf(card: Card, things: readonly Everyday[]): readonly Equivalent[] {
  const amounts: Readonly<Record<"J" | "gCO2e", AnyFigure | undefined>> = {
    J: headlineEnergy(card)?.figure,
    gCO2e: card.measures.emissions,
  };
  return things.flatMap((thing) => {
    const amount = amounts[thing.amount.unit];
    if (amount === undefined || !(amount.value > 0)) return [];
    const count = product("1", [amount, inverse(thing.amount)], { source: thing.amount.source });
    return count.value >= LEAST ? [{ thing, count }] : [];
  });
}

/** `1.2 smartphone charges`: one or two significant figures, so that a picture stays a picture. */
export function equivalentText({ thing, count }: Equivalent): string {
  const shown = roundedCount(count.value);
  return `${shown} ${shown === "1" ? thing.one : thing.many}`;
}

/** The interval of a count, with the digits that the count itself has: `0.9 to 1.6`. */
export function equivalentRange({ count }: Equivalent): string {
  return `${roundedCount(count.low)} to ${roundedCount(count.high)}`;
}

function roundedCount(value: number): string {
  const rounded = Number(significant(value, value < 1 ? 1 : 2));
  return rounded >= 10_000 ? rounded.toLocaleString("en-GB") : String(rounded);
}

/** One over a figure. Its unit is the inverse, which has no name of its own here. */
function inverse(of: AnyFigure): AnyFigure {
  return { ...of, unit: "1", value: 1 / of.value, low: 1 / of.high, high: 1 / of.low };
}
