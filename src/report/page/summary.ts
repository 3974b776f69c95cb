// The top of the HTML report: what ran, the answer, and what a reader must know before trusting it.

import type { Card } from "../../core/card.ts";
import {
  formatDuration,
  formatQuantity,
  shellWord,
  significant,
  withPrefix,
} from "../../core/index.ts";
import { BOUNDARY_MEANING, headlineEnergy } from "../headline.ts";
import { element, join, type Markup, text } from "../markup.ts";
import { costTexts } from "../words.ts";
import { paragraph, section, tile } from "./parts.ts";

/** Name, time, command and tags. */
export function pageHeader(card: Card): Markup {
  const { subject } = card;
  const tags = Object.entries(subject.tags).map(([key, value]) => `${key}=${value}`);
  const line = [subject.kind, `${card.startedAt.slice(0, 16).replace("T", " ")} UTC`, ...tags];
  const command = subject.command?.map(shellWord).join(" ");
  return element(
    "header",
    {},
    element("p", { class: "brand" }, text("godwit"), element("small", {}, text("greenness card"))),
    element("h1", {}, text(subject.name)),
    paragraph(line.join(", "), "soft"),
    command === undefined || command === subject.name
      ? null
      : element("pre", {}, element("code", {}, text(command))),
  );
}

/** The answer in large type, and the other measures below it. */
export function answer(card: Card): Markup {
  const { duration, power, emissions } = card.measures;
  const headline = headlineEnergy(card);
  const lead =
    headline === null
      ? element(
          "div",
          { class: "lead" },
          element("dt", {}, text("Energy")),
          element("dd", {}, element("span", { class: "value" }, text("unknown"))),
        )
      : tile(`Energy, ${headline.boundary}`, headline.figure, {
          className: "lead",
          note: `${withPrefix(headline.figure.value / 3600, "Wh")}, ${BOUNDARY_MEANING[headline.boundary]}`,
        });
  return element(
    "section",
    { "aria-label": "The answer" },
    element(
      "dl",
      { class: "tiles" },
      lead,
      tile("Running time", duration),
      power === undefined
        ? null
        : tile("Mean power", power.mean, {
            ...(power.peak === undefined
              ? {}
              : { note: `peak ${formatQuantity(power.peak.value, "W")}` }),
          }),
      emissions === undefined ? null : tile("Emissions", emissions),
    ),
    otherMeasures(card),
  );
}

function otherMeasures({ measures, quality }: Card): Markup | null {
  const { cpuTime, duration } = measures;
  const tiles = [
    cpuTime === undefined
      ? null
      : tile("CPU time", cpuTime, {
          note: `${significant(cpuTime.value / duration.value)} cores on average`,
        }),
    ...(
      [
        ["Model size", measures.modelSize],
        ["Parameters", measures.parameters],
        ["Operations", measures.operations?.macs ?? measures.operations?.flops],
        ["Embodied emissions", measures.embodied],
        ["Water", measures.water],
      ] as const
    ).map(([name, figure]) => (figure === undefined ? null : tile(name, figure))),
    ...costTexts(measures.cost).map(([kind, words]) =>
      element(
        "div",
        {},
        element("dt", {}, text(`Cost of ${kind}`)),
        element("dd", {}, element("span", { class: "value" }, text(words))),
      ),
    ),
    quality === undefined
      ? null
      : element(
          "div",
          {},
          element("dt", {}, text(`Quality: ${quality.metric}`)),
          element(
            "dd",
            {},
            element(
              "span",
              { class: "value", title: String(quality.value) },
              text(significant(quality.value)),
            ),
            ...qualityNotes(quality).map((note) => element("span", { class: "range" }, text(note))),
          ),
        ),
  ].filter((entry) => entry !== null);
  return tiles.length === 0 ? null : element("dl", { class: "tiles small" }, ...tiles);
}

function qualityNotes(quality: NonNullable<Card["quality"]>): readonly string[] {
  const { low, high, split, samples, baseline } = quality;
  const on = [
    ...(split === undefined ? [] : [`on ${split}`]),
    ...(samples === undefined ? [] : [`${samples} samples`]),
  ];
  return [
    ...(low === undefined || high === undefined
      ? []
      : [`${significant(low)} to ${significant(high)}`]),
    ...(on.length === 0 ? [] : [on.join(", ")]),
    ...(baseline === undefined ? [] : [`${baseline.name}: ${significant(baseline.value)}`]),
  ];
}

/** Status, gaps and notices; nothing when there is nothing to say. */
export function cautions(card: Card): Markup | null {
  const status = statusText(card);
  const gaps = card.gaps.map(
    ({ sensor, fromS, toS, reason }) =>
      `No reading of ${sensor} from ${formatDuration(fromS)} to ${formatDuration(toS)}: ${reason}`,
  );
  const entries = [...(status === "" ? [] : [status]), ...gaps, ...card.notices];
  if (entries.length === 0) return null;
  return element(
    "div",
    { class: "notice" },
    section(
      "notices",
      "Before you trust these figures",
      element("ul", {}, join(entries.map((entry) => element("li", {}, text(entry))))),
    ),
  );
}

function statusText({ status, exit }: Card): string {
  switch (status) {
    case "complete":
      return "";
    case "interrupted":
      return "The run was interrupted; the figures are those until then.";
    case "failed": {
      if (exit === undefined) return "The run failed.";
      return exit.signal === null
        ? `The run failed with exit code ${exit.code}.`
        : `The run was ended by ${exit.signal}.`;
    }
    default:
      return status satisfies never;
  }
}
