// A card as one self-contained HTML file: no network, no scripts, light and dark, fit to print.
// The content policy in its head forbids everything but its own style sheet.

import type { Card } from "../core/card.ts";
import type { Equivalent } from "./equivalents.ts";
import { element, join, text, trusted } from "./markup.ts";
import {
  arithmeticSection,
  emissionSection,
  machineSection,
  provenanceSection,
} from "./page/evidence.ts";
import { energySection, powerSection, spanSection } from "./page/pictures.ts";
import { STYLE } from "./page/style.ts";
import { answer, cautions, pageHeader } from "./page/summary.ts";

export interface HtmlOptions {
  readonly equivalents?: readonly Equivalent[];
}

/** The whole document. */
export function renderHtml(card: Card, { equivalents = [] }: HtmlOptions = {}): string {
  const head = element(
    "head",
    {},
    element("meta", { charset: "utf-8" }),
    element("meta", {
      "http-equiv": "Content-Security-Policy",
      content: "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    }),
    element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    element("meta", { name: "color-scheme", content: "light dark" }),
    element("meta", { name: "generator", content: `godwit ${card.godwit.version}` }),
    element("title", {}, text(`${card.subject.name} - godwit`)),
    element("link", { rel: "icon", href: "data:," }),
    element("style", {}, STYLE),
  );
  const main = element(
    "main",
    {},
    answer(card),
    cautions(card),
    powerSection(card),
    energySection(card),
    spanSection(card),
    emissionSection(card, equivalents),
    arithmeticSection(card),
    provenanceSection(card),
    machineSection(card),
  );
  const footer = element(
    "footer",
    {},
    text(`Card ${card.id} (${card.schema}), made by godwit ${card.godwit.version}. `),
    text("Three significant figures; hover over a value for all of its digits."),
  );
  const body = element("body", {}, pageHeader(card), main, footer);
  return `${join([trusted("<!doctype html>\n"), element("html", { lang: "en" }, head, body)])}\n`;
}
