// A plan as one self-contained page: the answer, the picture, what other policies would do, and what it
// all rests on.

import { formatDuration, formatFigure, significant } from "../core/index.ts";
import { planChart } from "./charts/index.ts";
import { element, type Markup, text } from "./markup.ts";
import { htmlDocument } from "./page/document.ts";
import { facts, paragraph, section, table, tile } from "./page/parts.ts";
import { picture } from "./page/pictures.ts";
import {
  answerOf,
  durationText,
  errorText,
  interruptionText,
  latestStartText,
  momentText,
  type PlanView,
  planData,
  proposalRow,
  savingWords,
  secondViewTexts,
  shortMoment,
  signalText,
} from "./plan-words.ts";

/** The whole document. */
export function renderPlanPage(view: PlanView & { readonly version: string }): string {
  const { advice, version, notices } = view;
  const { title, why } = answerOf(view);
  const said = [...secondViewTexts(view), ...notices];
  const header = element(
    "header",
    {},
    element("p", { class: "brand" }, text("godwit"), element("small", {}, text("plan"))),
    element("h1", {}, text(title)),
    paragraph(why),
  );
  const main = element(
    "main",
    {},
    tiles(view),
    said.length === 0
      ? null
      : element(
          "div",
          { class: "notice" },
          element("ul", {}, ...said.map((words) => element("li", {}, text(words)))),
        ),
    chartSection(view),
    policySection(view),
    basisSection(view),
  );
  const footer = element(
    "footer",
    {},
    text(`Planned at ${momentText(advice.options.now, view.zone)} by godwit ${version}. `),
    text("Ranges are 90 % intervals. Every figure here is a forecast."),
  );
  return htmlDocument({ title: `Plan: ${title}`, version, body: [header, main, footer] });
}

function tiles(view: PlanView): Markup {
  const { jobPlan, job } = view.advice;
  const saving = savingWords(view.advice);
  const share = jobPlan.saving.value / jobPlan.counterfactual.emissions.value;
  return element(
    "section",
    { "aria-label": "The answer" },
    element(
      "dl",
      { class: "tiles" },
      tile("Expected emissions", jobPlan.expected, { className: "lead" }),
      tile("Started at once", jobPlan.counterfactual.emissions),
      tile(`Expected to be ${saving.name}`, jobPlan.saving, {
        note: `${significant(100 * share)} %; ${saving.meaning}`,
      }),
      tile("Mean power", job.power),
    ),
  );
}

function chartSection(view: PlanView): Markup {
  const data = planData(view);
  const rows = data.steps.map(({ start, end, value }) => {
    const seconds = data.runs.reduce(
      (sum, run) => sum + Math.max(0, Math.min(run.end, end) - Math.max(run.start, start)),
      0,
    );
    return [
      text(shortMoment(start, data.zone)),
      text(significant(value)),
      text(seconds === 0 ? "" : formatDuration(seconds)),
    ];
  });
  return section(
    "when",
    "When it runs",
    picture(
      "plan",
      { wide: 320, narrow: 280 },
      (options) => planChart(data, options),
      element(
        "details",
        {},
        element("summary", {}, text("Forecast as a table")),
        table(
          `Forecast from now to the deadline, times of ${data.zone.name}`,
          [{ title: "From" }, { title: "gCO2e/kWh", kind: "number" }, { title: "It runs" }],
          rows,
        ),
      ),
    ),
  );
}

function policySection(view: PlanView): Markup | null {
  const { proposals } = view.advice;
  if (proposals.length === 0) return null;
  return section(
    "policies",
    "What each policy would do",
    paragraph("Each on the same forecast, before any guard; * is the one that was asked.", "soft"),
    table(
      "Policies, against starting at once",
      [
        { title: "Policy" },
        { title: "First start" },
        { title: "Runs", kind: "number" },
        { title: "Expected", kind: "number" },
        { title: "Saved", kind: "number" },
      ],
      proposals.map((proposal) => proposalRow(proposal, view).map((cell) => text(cell))),
    ),
  );
}

function basisSection(view: PlanView): Markup {
  const { job, jobPlan } = view.advice;
  return section(
    "basis",
    "What it rests on",
    facts([
      ["Runs", jobPlan.runs.map(({ start, end }) => runText(start, end, view)).join("; ")],
      ["Deadline", momentText(job.deadline, view.zone)],
      ["Latest safe start", latestStartText(view)],
      ["Duration", durationText(view)],
      ["Power", `${formatFigure(job.power)}, ${job.power.method}: ${job.power.source}`],
      ["Interruption", interruptionText(view)],
      ["Signal", signalText(view)],
      ["Forecast error", errorText(view)],
      ["Reasons", jobPlan.reasons.map((reason) => reason.text).join("; ")],
    ]),
  );
}

const runText = (start: number, end: number, { zone }: PlanView): string =>
  `${shortMoment(start, zone)} to ${shortMoment(end, zone)}`;
