// A card as one self-contained HTML file.

import type { Card } from "../core/card.ts";
import type { Equivalent } from "./equivalents.ts";
import { element, text } from "./markup.ts";
import { htmlDocument } from "./page/document.ts";
import {
  arithmeticSection,
  emissionSection,
  machineSection,
  provenanceSection,
} from "./page/evidence.ts";
import { energySection, powerSection, spanSection } from "./page/pictures.ts";
import { answer, cautions, pageHeader } from "./page/summary.ts";

export interface HtmlOptions {
  readonly equivalents?: readonly Equivalent[];
}

/** The whole document. */
export function renderHtml(card: Card, { equivalents = [] }: HtmlOptions = {}): string {
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
  return htmlDocument({
    title: card.subject.name,
    version: card.godwit.version,
    body: [pageHeader(card), main, footer],
  });
}
