// A plan on the terminal: what to do first, then the figures, the picture, the other policies, and what it
// rests on.

import { formatDuration, formatFigure } from "../core/index.ts";
import { clockText } from "../core/time-zone.ts";
import { signalBar } from "../report/charts/index.ts";
import { padded, printable, wrap } from "../report/columns.ts";
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
} from "../report/plan-words.ts";
import type { Paint } from "../report/terminal.ts";
import { textTable } from "./text-table.ts";

export interface Screen {
  readonly width: number;
  readonly paint: Paint;
  /** Whether more than ASCII can be shown. */
  readonly unicode: boolean;
}

const LABEL = 16;

/** Lines of the whole answer. */
export function planText(view: PlanView, screen: Screen): readonly string[] {
  const { title, why } = answerOf(view);
  return [
    screen.paint("strong", title),
    ...wrap(why, screen.width),
    "",
    ...figureLines(view, screen),
    "",
    ...barLines(view, screen),
    "",
    ...policyLines(view, screen),
    ...basisLines(view, screen),
  ];
}

function figureLines(view: PlanView, screen: Screen): readonly string[] {
  const { jobPlan } = view.advice;
  const { name, meaning } = savingWords(view.advice);
  const { saving, expected, counterfactual } = jobPlan;
  return [
    ...row("expected", formatFigure(expected), screen),
    ...row("started at once", formatFigure(counterfactual.emissions), screen),
    ...(saving.value === 0 && saving.low === saving.high
      ? []
      : row(name, `${formatFigure(saving)}; ${meaning}`, screen)),
    ...secondViewTexts(view).flatMap((words) => row("", words, screen)),
    ...row("runs", runsText(view), screen),
    ...row("latest start", latestStartText(view), screen),
    ...row("deadline", momentText(view.advice.job.deadline, view.zone), screen),
  ];
}

const MOST_RUNS = 6;

function runsText({ advice: { jobPlan }, zone }: PlanView): string {
  const shown = jobPlan.runs
    .slice(0, MOST_RUNS)
    .map(({ start, end }) => `${shortMoment(start, zone)} for ${formatDuration(end - start)}`);
  const more = jobPlan.runs.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more (--json has all)`] : [])].join("; ");
}

function row(label: string, words: string, { width, paint }: Screen): readonly string[] {
  const [first = "", ...rest] = wrap(printable(words), width - LABEL);
  return [
    paint("quiet", padded(label, LABEL)) + first,
    ...rest.map((line) => " ".repeat(LABEL) + line),
  ];
}

/** The forecast from now to the deadline in one line, and below it when the job runs. */
function barLines(view: PlanView, { width, paint, unicode }: Screen): readonly string[] {
  const data = planData(view);
  const [from, to] = [data.now, data.deadline].map((at) => clockText(data.zone.wallTimeAt(at)));
  const [bar, marks] = signalBar(data, { width: Math.max(8, width - LABEL - 6), unicode });
  const values = data.steps.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(0));
  const margin = padded(`gCO2e/kWh ${from}`, LABEL);
  return [
    `${paint("quiet", margin)}${bar} ${paint("quiet", to ?? "")}`,
    `${" ".repeat(LABEL)}${paint("good", marks.trimEnd())}`,
    " ".repeat(LABEL) + paint("quiet", `from ${low} to ${high};  = it runs  | latest start`),
  ];
}

function policyLines(view: PlanView, { width, paint }: Screen): readonly string[] {
  const { proposals } = view.advice;
  if (proposals.length === 0) return [];
  const placed = proposals.filter(({ status }) => status === "placed");
  const columns = [
    { title: "POLICY" },
    { title: "FIRST START", flexible: "wrap" },
    { title: "RUNS", align: "right" },
    { title: "EXPECTED", align: "right" },
    { title: "SAVED", align: "right" },
  ] as const;
  const rows = placed.map((proposal) => proposalRow(proposal, view));
  const reasons = new Set(proposals.flatMap((one) => (one.status === "unfit" ? one.reason : [])));
  const unfit = [...reasons].map((reason) => {
    const names = proposals.filter((one) => one.status === "unfit" && one.reason === reason);
    return `not fit, as ${reason}: ${names.map(({ policy }) => policy).join(", ")}`;
  });
  return [
    ...textTable(columns, rows, width),
    ...unfit.flatMap((words) => wrap(words, width)).map((line) => paint("quiet", line)),
    "",
  ];
}

function basisLines(view: PlanView, screen: Screen): readonly string[] {
  const { power } = view.advice.job;
  return [
    ...row("job", `${durationText(view)}; ${interruptionText(view)}`, screen),
    ...row("power", `${formatFigure(power)}, ${power.method}: ${power.source}`, screen),
    ...row("signal", signalText(view), screen),
    ...row("forecast error", errorText(view), screen),
  ];
}
