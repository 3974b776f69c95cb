// A card as one JSON document: the card itself, for programs. Its shape is godwit.card/1.

import type { Card } from "../core/card.ts";

/** The card with two spaces of indentation and a line break at its end. */
export function renderJson(card: Card): string {
  return `${JSON.stringify(card, null, 2)}\n`;
}
