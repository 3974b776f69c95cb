// What `godwit export` writes for each format: cards in, the file's content out.

import type { Card } from "../core/card.ts";
import { type Host, UserError } from "../core/index.ts";

/** Formats that become a file, by the name of their option. */
export const FORMATS = [
  "csv",
  "json",
  "ndjson",
  "parquet",
  "prometheus",
  "codecarbon",
  "boamps",
  "impactFramework",
] as const;

export type Format = (typeof FORMATS)[number];

export interface Content {
  readonly content: string | Uint8Array;
  /** What has to be said about what is not in it. */
  readonly notices: readonly string[];
}

/** The content of a file; cards come one by one, so that whole ones need not fit into memory. */
export async function contentOf(
  format: Format,
  cards: AsyncIterable<Card>,
  host: Host,
): Promise<Content> {
  switch (format) {
    case "csv": {
      const { renderCsvTable } = await import("../report/index.ts");
      return plain(renderCsvTable(await thinned(cards)));
    }
    case "parquet": {
      const { cardsParquet } = await import("./parquet.ts");
      return plain(cardsParquet(await thinned(cards)));
    }
    case "ndjson":
      return plain((await lines(cards)).map((line) => `${line}\n`).join(""));
    case "json":
      return plain(`[${(await lines(cards)).join(",\n")}]\n`);
    case "prometheus": {
      const { renderPrometheus } = await import("../report/exports/prometheus.ts");
      return plain(renderPrometheus(await thinned(cards)));
    }
    case "codecarbon":
      return codeCarbon(cards, host);
    case "boamps": {
      const { renderBoamps } = await import("../report/exports/boamps.ts");
      return plain(renderBoamps(await onlyOne(cards)));
    }
    case "impactFramework": {
      const { renderImpactFramework } = await import("../report/exports/impact-framework.ts");
      const { text, skipped } = renderImpactFramework(await thinned(cards));
      return { content: text, notices: leftOut(skipped, "without energy or carbon intensity") };
    }
    default:
      return format satisfies never;
  }
}

const plain = (content: string | Uint8Array): Content => ({ content, notices: [] });

async function codeCarbon(cards: AsyncIterable<Card>, host: Host): Promise<Content> {
  const { renderCodeCarbon } = await import("../report/exports/codecarbon.ts");
  const { loadCountries } = await import("../measure/carbon/index.ts");
  const codes = new Map((await loadCountries(host)).map(({ iso2, iso3 }) => [iso2, iso3]));
  const { text, skipped } = renderCodeCarbon(await thinned(cards, "components"), (alpha2) =>
    codes.get(alpha2),
  );
  return { content: text, notices: leftOut(skipped, "without energy") };
}

const leftOut = (ids: readonly string[], why: string): readonly string[] =>
  ids.length === 0 ? [] : [`left out, ${why}: ${ids.join(", ")}`];

async function onlyOne(cards: AsyncIterable<Card>): Promise<Card> {
  const found: Card[] = [];
  for await (const card of cards) {
    found.push(card);
    if (found.length > 1) break;
  }
  const [card] = found;
  if (card !== undefined && found.length === 1) return card;
  throw new UserError("usage", `a BoAmps report is of one run, not ${card ? "several" : "none"}`, {
    hint: "Name the run: godwit export last --boamps report.json",
  });
}

async function lines(cards: AsyncIterable<Card>): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const card of cards) texts.push(JSON.stringify(card));
  return texts;
}

/** Cards without what no table shows, so that many thousands fit into memory. */
async function thinned(cards: AsyncIterable<Card>, kept?: "components"): Promise<readonly Card[]> {
  const thin: Card[] = [];
  for await (const card of cards) {
    const components = kept === undefined ? [] : card.components;
    thin.push({ ...card, components, spans: [], series: [], steps: [], gaps: [] });
  }
  return thin;
}
