// Cards from a file that somebody exported: one card, an array of them, or one a line.

import { readFile } from "node:fs/promises";
import { type Card, parseCard } from "../core/card.ts";
import { reasonOf, UserError } from "../core/index.ts";

/** The cards of a file. Throws UserError that names it as it was given. */
export async function readCards(path: string, given: string): Promise<readonly Card[]> {
  try {
    const text = (await readFile(path, "utf8")).trim();
    const isLines = /^\{.*\}\r?\n\{/.test(text);
    const values: unknown = isLines
      ? text.split(/\r?\n/).map((line) => JSON.parse(line))
      : JSON.parse(text);
    return (Array.isArray(values) ? values : [values]).map(parseCard);
  } catch (cause) {
    throw new UserError("invalid-input", `${given}: ${reasonOf(cause)}`, {
      hint: "Write it with: godwit export --name NAME --json cards.json",
      cause,
    });
  }
}
