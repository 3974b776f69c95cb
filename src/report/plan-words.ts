// The answer of a plan in words, the same on a terminal and on a page: when to start, why, how sure that is
// and what may be said of the saving.

import { formatDuration, formatFigure } from "../core/index.ts";
import { type TimeZone, utcOf, wallTimeText } from "../core/time-zone.ts";
import {
  type Advice,
  durationAt,
  endOf,
  type Proposal,
  plannedDuration,
  type Signal,
  savingVerb,
} from "../systems/schedule/index.ts";
import type { PlanData } from "./charts/plan.ts";

/** What every view of a plan shows. */
export interface PlanView {
  readonly advice: Advice;
  /** In which times are told. */
  readonly zone: TimeZone;
  /** Where the duration comes from. */
  readonly durationSource: string;
  /** What must be said beside the plan. */
  readonly notices: readonly string[];
}

/** `Fri 2026-01-09 14:00 Europe/Berlin (13:00 UTC)`. */
export function momentText(at: number, zone: TimeZone): string {
  const time = zone.wallTimeAt(at);
  const utc = new Date(at * 1000).toISOString();
  if (utcOf(time) === at) return `${wallTimeText(time)} UTC`;
  const [day = "", clock = ""] = [utc.slice(0, 10), utc.slice(11, 16)];
  const isSameDay = wallTimeText(time).includes(day);
  return `${wallTimeText(time)} ${zone.name} (${isSameDay ? clock : `${day} ${clock}`} UTC)`;
}

/** `Fri 2026-01-09 14:00`, without its zone. */
export const shortMoment = (at: number, zone: TimeZone): string =>
  wallTimeText(zone.wallTimeAt(at));

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** What to do, and one sentence that says why. */
export function answerOf({ advice, zone }: PlanView): {
  readonly title: string;
  readonly why: string;
} {
  const { job, jobPlan, verdict, options } = advice;
  const [first] = jobPlan.runs;
  const start = first?.start ?? job.earliest;
  const soonest = start > options.now ? `Start at ${momentText(start, zone)}` : "Start now";
  switch (verdict.kind) {
    case "wait": {
      const runs = jobPlan.runs.length;
      const pieces = runs === 1 ? "" : `, in ${runs} stretches`;
      const away = start > options.now ? `, in ${formatDuration(start - options.now)}` : "";
      return { title: `${soonest}${pieces}${away}`, why: savingText(advice) };
    }
    case "now-is-best":
      return { title: soonest, why: "No later start is expected to emit less." };
    case "not-worth-it": {
      const { share, needed } = verdict;
      const limit =
        options.error.typical >= options.threshold
          ? `but savings by such forecasts are off by ${percent(needed)}`
          : `less than the ${percent(needed)} that you asked for`;
      const would = `${options.policy.name} would save ${percent(share)}, ${limit}`;
      return { title: soonest, why: `Waiting is not worth it: ${would}.` };
    }
    case "late": {
      const why = `It may be late: 95 % of its runs need ${formatDuration(plannedDuration(job))}.`;
      return { title: soonest, why };
    }
    default:
      return verdict satisfies never;
  }
}

function savingText({ plan, jobPlan }: Advice): string {
  const share = jobPlan.saving.value / jobPlan.counterfactual.emissions.value;
  return `Expected to emit ${percent(share)} less than started at once: ${savingVerb(plan.kind)}.`;
}

/** The name of a saving by this signal, and what that word means. */
export function savingWords({ plan }: Advice): { readonly name: string; readonly meaning: string } {
  const name = savingVerb(plan.kind);
  switch (plan.kind) {
    case "average":
      return {
        name,
        meaning: "shared out anew; what the grid itself emits less needs a marginal signal",
      };
    case "marginal":
      return { name, meaning: "marginal emissions cannot be observed, only estimated" };
    default:
      return plan.kind satisfies never;
  }
}

/** The latest safe start, and what it leaves room for. */
export function latestStartText({ advice: { job, jobPlan }, zone }: PlanView): string {
  const needed = formatDuration(plannedDuration(job));
  const isKnown = job.duration.length === 1;
  return (
    `${momentText(jobPlan.latestStart, zone)}: the deadline less ${needed}` +
    (isKnown ? "" : ", which 95 % of runs do not exceed") +
    (job.interruptible === null ? "" : "; it then runs in one piece")
  );
}

/** How long it takes, and who says so. */
export function durationText({ advice: { job }, durationSource }: PlanView): string {
  const at = (p: number): string => formatDuration(durationAt(job.duration, p));
  const range = job.duration.length === 1 ? "" : ` (${at(0.05)} to ${at(0.95)})`;
  return `${at(0.5)}${range}, ${durationSource}`;
}

/** Which signal decided. */
export function signalText({ advice: { forecast, options }, zone }: PlanView): string {
  const { kind, basis, source, issuedAt } = forecast;
  // A file that does not say when it was issued counts as known at its end.
  const issued = issuedAt > options.now ? "" : `; known at ${shortMoment(issuedAt, zone)}`;
  return `${forecast.zone}, ${kind}, ${basis}-based; ${source}${issued}`;
}

/** How far off savings by this forecast are, and how that is known. */
export const errorText = ({ advice: { options } }: PlanView): string =>
  `${percent(options.error.typical)} of emissions; ${options.error.source}`;

/** How it may be stopped. */
export function interruptionText({ advice: { job } }: PlanView): string {
  const { interruptible } = job;
  if (interruptible === null) return "runs in one piece";
  const { minimumRunS, restartS } = interruptible;
  const least = minimumRunS > 0 ? `at least ${formatDuration(minimumRunS)} at a time` : "freely";
  const again = restartS > 0 ? `, ${formatDuration(restartS)} to continue` : "";
  return `may be interrupted ${least}${again}`;
}

/** A row of the table of policies: name, start, runs, expected emissions, saving, or why not. */
export function proposalRow(
  proposal: Proposal,
  { advice, zone }: PlanView,
): readonly [policy: string, start: string, runs: string, expected: string, saved: string] {
  const isChosen = proposal.policy === advice.options.policy.name;
  const name = isChosen ? `${proposal.policy} *` : proposal.policy;
  if (proposal.status === "unfit") return [name, proposal.reason, "", "", ""];
  const [first] = proposal.runs;
  return [
    name,
    shortMoment(first?.start ?? Number.NaN, zone),
    String(proposal.runs.length),
    gramsText(proposal.grams),
    percent(proposal.share),
  ];
}

const gramsText = (value: number): string =>
  formatFigure({ value, low: value, high: value, unit: "gCO2e", method: "estimated", source: "" });

/** Signals of another kind, which never decide. */
export const secondViewTexts = ({ advice: { jobPlan, plan } }: PlanView): readonly string[] => [
  ...jobPlan.secondViews.map(
    ({ kind, basis, savedGrams }) =>
      `by the ${kind} ${basis}-based signal: ${savedGrams < 0 ? "" : "+"}${gramsText(savedGrams)} saved`,
  ),
  ...plan.warnings,
];

/** What the pictures of a plan need: the forecast from now to the deadline. */
export function planData({ advice, zone }: PlanView): PlanData {
  const { job, jobPlan, forecast, options } = advice;
  const until = Math.max(job.deadline, jobPlan.runs.at(-1)?.end ?? 0);
  const usual = jobPlan.counterfactual.start;
  return {
    zone,
    steps: stepsOf(forecast, options.now, Math.min(until, endOf(forecast))),
    runs: jobPlan.runs,
    usual: { start: usual, end: usual + plannedDuration(job) },
    now: options.now,
    latestStart: jobPlan.latestStart,
    deadline: job.deadline,
  };
}

/** Steps of a signal that touch [from, to), cut to it. */
function stepsOf({ start, step, values }: Signal, from: number, to: number): PlanData["steps"] {
  return Array.from(values, (value, at) => ({
    start: Math.max(from, start + at * step),
    end: Math.min(to, start + (at + 1) * step),
    value,
  })).filter((one) => one.end > one.start);
}
