// The sections of a search's page: what was found, what it costs, how it was verified, where the time goes,
// what changed most, what was refused, and how to make it again.

import { paretoChart } from "../charts/pareto.ts";
import { element, type Markup, text } from "../markup.ts";
import { facts, paragraph, section, table } from "../page/parts.ts";
import { picture } from "../page/pictures.ts";
import type { SlimFile, SlimReport } from "./report.ts";
import {
  changeText,
  dropText,
  megabytes,
  qualityText,
  ratioText,
  secondsText,
  trialText,
} from "./words.ts";

export function frontSection({
  candidates,
  front,
  metric,
  maxDrop,
  trials,
  result,
}: SlimReport): Markup | null {
  const measured = candidates.filter(({ ratio }) => ratio !== null);
  if (measured.length === 0) return null;
  const isShare = dropText(metric, 0.01).includes("pp");
  const scale = isShare ? 100 : 1;
  // The last one tried, unless that failed too.
  const chosen = result === null ? undefined : trials.at(-1)?.name;
  const points = [
    { label: "original, tuned session", drop: 0, cost: 1, isFront: false, isChosen: false },
    ...measured.map(({ name, drop, ratio }) => ({
      label: name,
      drop: scale * drop,
      cost: ratio?.value ?? 1,
      isFront: front.includes(name),
      isChosen: name === chosen,
    })),
  ];
  const data = {
    title: "Candidates",
    dropLabel: `drop of ${metric}${isShare ? ", percentage points" : ""}`,
    costLabel: "CPU time against the tuned original",
    budget: scale * maxDrop,
    points,
  };
  return section(
    "front",
    "What was found",
    picture("pareto", { wide: 380, narrow: 320 }, (options) => paretoChart(data, options)),
    table(
      "Candidates on the samples of the search; a star marks those that no other one beats",
      [
        { title: "Recipe" },
        { title: "Size", kind: "number" },
        { title: "CPU time", kind: "number" },
        { title: metric, kind: "number" },
        { title: "Drop", kind: "number" },
        { title: "Front" },
      ],
      candidates.map(({ name, bytes, ratio, quality, drop }) =>
        [
          name,
          megabytes(bytes),
          ratio === null ? "" : changeText(ratio.value),
          qualityText(metric, quality),
          dropText(metric, drop),
          front.includes(name) ? "*" : "",
        ].map((cell) => text(cell)),
      ),
    ),
  );
}

export const costSection = ({ costs, tuning }: SlimReport): Markup =>
  section(
    "costs",
    "What a sample costs",
    table(
      "Measured in turns in one process; against the original with a tuned session",
      [
        { title: "Model and session" },
        { title: "Settings", kind: "words" },
        { title: "CPU time", kind: "number" },
        { title: "Latency p50", kind: "number" },
        { title: "p95", kind: "number" },
        { title: "Against the original", kind: "number" },
      ],
      costs.map(({ name, settings, cpu, latency, ratio }) =>
        [
          name,
          settings,
          secondsText(cpu.median),
          secondsText(latency.p50),
          secondsText(latency.p95),
          ratioText(ratio),
        ].map((cell) => text(cell)),
      ),
    ),
    element(
      "details",
      {},
      element("summary", {}, text("Session settings that were tried on the original")),
      table(
        "Against ONNX Runtime's defaults",
        [
          { title: "Settings" },
          { title: "CPU time", kind: "number" },
          { title: "Against the defaults", kind: "number" },
        ],
        tuning.map(({ settings, cpu, ratio }) =>
          [settings, secondsText(cpu.median), ratioText(ratio)].map((cell) => text(cell)),
        ),
      ),
    ),
  );

export const trialSection = ({ trials, metric }: SlimReport): Markup | null =>
  trials.length === 0
    ? null
    : section(
        "verify",
        "Verification",
        paragraph(
          "The written file, in a process of its own, on samples that neither calibration nor search has seen. Where several candidates were verified, the probability of a wrong claim is shared among them.",
          "soft",
        ),
        table(
          "Paired one-sided tests",
          [
            { title: "Candidate" },
            { title: "Verdict" },
            { title: "What was found", kind: "words" },
          ],
          trials.map((trial) => [
            text(trial.name),
            text(trial.verdict),
            text([trialText(metric, trial), ...trial.faults].join("; ")),
          ]),
        ),
      );

export const operatorSection = ({ operators }: SlimReport): Markup | null =>
  operators.length === 0
    ? null
    : section(
        "operators",
        "Where the time goes",
        table(
          "Time of one run by operator of the graph that ONNX Runtime runs",
          [
            { title: "Operator" },
            { title: "Before", kind: "number" },
            { title: "After", kind: "number" },
          ],
          operators.map(({ operator, before, after }) => [
            text(operator),
            text(before === 0 ? "none" : secondsText(before)),
            text(after === 0 ? "none" : secondsText(after)),
          ]),
        ),
      );

export function worstSection({ trials }: SlimReport): Markup | null {
  const trial = trials.at(-1);
  const worst = trial?.difference.worst ?? [];
  if (worst.length === 0) return null;
  const answers = new Map(trial?.answers.map((of) => [of.row, of]));
  return section(
    "worst",
    "Samples that changed most",
    table(
      "Look at these first: squared change of a sample's outputs over their squares",
      [
        { title: "Row of the data" },
        { title: "Change", kind: "number" },
        { title: "Answer before", kind: "words" },
        { title: "After", kind: "words" },
      ],
      worst.map(({ row, change }) => {
        const of = answers.get(row);
        return [row, change.toPrecision(3), of?.before ?? "", of?.after ?? ""].map((cell) =>
          text(cell),
        );
      }),
    ),
  );
}

export const refusedSection = ({ refused }: SlimReport): Markup | null =>
  refused.length === 0
    ? null
    : section(
        "refused",
        "What was left alone, and why",
        table(
          "Recipes that were not tried, and nodes that the chosen recipe leaves as they are",
          [{ title: "What" }, { title: "Why", kind: "words" }],
          refused.map(({ what, reason }) => [text(what), text(reason)]),
        ),
      );

export function againSection(report: SlimReport): Markup {
  const file = ({ path, sha256, bytes }: SlimFile): string =>
    `${path}, ${bytes.toLocaleString("en")} bytes, SHA-256 ${sha256}`;
  return section(
    "again",
    "How to make it again",
    element("pre", {}, element("code", {}, text(report.command))),
    facts([
      ["Original", file(report.original)],
      ...(report.result === null ? [] : [["Result", file(report.result)] as const]),
      ["Cards", report.cards.map(({ what, id }) => `${what}: ${id}`).join(", ")],
      ["Machine", `${report.machine.cpu} (${report.machine.id})`],
    ]),
    report.recipe === null
      ? null
      : element(
          "details",
          {},
          element("summary", {}, text("The recipe as JSON")),
          element(
            "pre",
            {},
            element(
              "code",
              {},
              text(
                JSON.stringify({
                  ...report.recipe,
                  calibration: {
                    ...report.recipe.calibration,
                    rows: `${report.recipe.calibration.rows.length} rows, see recipe.json`,
                  },
                }),
              ),
            ),
          ),
        ),
  );
}
