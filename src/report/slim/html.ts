// A search for a smaller model as one self-contained page: the answer, the proof, the front, where the time
// went, what was refused, and how to make the same file again.

import { formatFigure } from "../../core/index.ts";
import { element, type Markup, text } from "../markup.ts";
import { htmlDocument } from "../page/document.ts";
import { facts, paragraph, section } from "../page/parts.ts";
import type { SlimReport } from "./report.ts";
import {
  againSection,
  costSection,
  frontSection,
  operatorSection,
  refusedSection,
  trialSection,
  worstSection,
} from "./sections.ts";
import { changeText, dropText, megabytes, partsText, payBackText, qualityText } from "./words.ts";

/** The whole document. */
export function slimHtml(report: SlimReport): string {
  const name = baseName(report.original.path);
  const header = element(
    "header",
    {},
    element("p", { class: "brand" }, text("godwit"), element("small", {}, text("slim"))),
    element("h1", {}, text(name)),
    paragraph(
      `${report.data.name}, ${report.madeAt.slice(0, 16).replace("T", " ")} UTC, ${report.machine.cpu}`,
      "soft",
    ),
  );
  const main = element(
    "main",
    {},
    tiles(report),
    section("answer", TITLES[report.outcome], paragraph(report.answer), facts(factsOf(report))),
    notes(report),
    frontSection(report),
    costSection(report),
    trialSection(report),
    operatorSection(report),
    worstSection(report),
    refusedSection(report),
    againSection(report),
  );
  const footer = element(
    "footer",
    {},
    text(
      `Made by godwit ${report.godwit} with ${report.runtime}. CPU times are measured in turns on this machine; energy is ${report.energy.after?.method ?? "not known"}.`,
    ),
  );
  return htmlDocument({
    title: `slim ${name}`,
    version: report.godwit,
    body: [header, main, footer],
  });
}

const baseName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;

const TITLES: Readonly<Record<SlimReport["outcome"], string>> = {
  improved: "A smaller model, verified",
  "not-shown": "Not shown to keep its quality",
  nothing: "Nothing better found",
  faulty: "The written file failed its checks",
};

/** The four figures that a reader looks for. */
function tiles({ costs, original, result, trials, metric, energy }: SlimReport): Markup | null {
  const cost = costs.find(({ name }) => name === "result");
  const trial = trials.at(-1);
  if (cost === undefined || result === null || trial === undefined) return null;
  const of = (title: string, value: string, note: string, lead = false): Markup =>
    element(
      "div",
      { class: lead ? "lead" : null },
      element("dt", {}, text(title)),
      element(
        "dd",
        {},
        element("span", { class: "value" }, text(value)),
        element("span", { class: "range" }, text(note)),
      ),
    );
  const { low, high, value, verdict } = cost.ratio;
  return element(
    "section",
    { "aria-label": "The answer" },
    element(
      "dl",
      { class: "tiles" },
      of(
        "CPU time a sample",
        verdict === "noise" ? "within noise" : changeText(value),
        `95 % interval ${changeText(low)} to ${changeText(high)}, measured`,
        true,
      ),
      of("Size", megabytes(result.bytes), `was ${megabytes(original.bytes)}`),
      of(
        metric,
        qualityText(metric, trial.after.value),
        `was ${qualityText(metric, trial.before.value)}`,
      ),
      energy.after === null
        ? null
        : of(
            "Energy a sample",
            formatFigure(energy.after),
            `${energy.after.method}; was ${energy.before === null ? "not known" : formatFigure(energy.before)}`,
          ),
    ),
  );
}

const factsOf = (report: SlimReport): readonly (readonly [string, string])[] => {
  const { data, metric, maxDrop, objective, machine } = report;
  return [
    [
      "Samples",
      `${partsText(data)}; no sample of the search or the verification is in another part`,
    ],
    ["Budget", `${metric} may drop by ${dropText(metric, maxDrop)}; least ${objective}`],
    ["Energy", payBackText(report)],
    ["8-bit products", machine.int8],
  ];
};

const notes = ({ data }: SlimReport): Markup | null =>
  data.notes.length === 0
    ? null
    : element(
        "div",
        { class: "notice" },
        section(
          "notes",
          "To know",
          element("ul", {}, ...data.notes.map((note) => element("li", {}, text(note)))),
        ),
      );
