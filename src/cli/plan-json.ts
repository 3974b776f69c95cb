// A plan for other programs: units in the names, times in UTC, figures with their intervals.

import type { AnyFigure } from "../core/index.ts";
import type { PlanView } from "../report/plan-words.ts";
import { plannedDuration, savingVerb } from "../systems/schedule/index.ts";

/** The plan as JSON text. */
export function planJson({ advice, zone, durationSource, notices }: PlanView): string {
  const { job, jobPlan, plan, forecast, options, verdict, proposals } = advice;
  const { error } = options;
  const json = {
    schema: "godwit.advice/1",
    planned_at: utc(options.now),
    time_zone: zone.name,
    verdict: verdict.kind,
    ...(verdict.kind === "not-worth-it"
      ? { saving_share: verdict.share, least_share: verdict.needed }
      : {}),
    runs: jobPlan.runs.map(span),
    latest_start: utc(jobPlan.latestStart),
    deadline: utc(job.deadline),
    expected_gco2e: figureJson(jobPlan.expected),
    started_at_once_gco2e: figureJson(jobPlan.counterfactual.emissions),
    saving_gco2e: figureJson(jobPlan.saving),
    saving_is: savingVerb(plan.kind),
    delay_s: jobPlan.delayS,
    reasons: jobPlan.reasons,
    second_views: jobPlan.secondViews.map(({ kind, basis, savedGrams }) => ({
      ...{ kind, basis, saving_gco2e: savedGrams },
    })),
    policy: options.policy.name,
    policies: proposals.map((one) =>
      one.status === "unfit"
        ? { policy: one.policy, status: one.status, reason: one.reason }
        : {
            ...{ policy: one.policy, status: one.status, runs: one.runs.map(span) },
            ...{ expected_gco2e: one.grams, saving_share: one.share },
          },
    ),
    job: {
      submitted_at: utc(job.submittedAt),
      earliest: utc(job.earliest),
      planned_duration_s: plannedDuration(job),
      duration_s: job.duration,
      duration_source: durationSource,
      power_w: figureJson(job.power),
      interruptible: job.interruptible !== null,
    },
    signal: {
      ...{ zone: forecast.zone, kind: forecast.kind, basis: forecast.basis },
      ...{ source: forecast.source, issued_at: utc(forecast.issuedAt) },
      ...{ start: utc(forecast.start), step_s: forecast.step },
      values_gco2e_per_kwh: [...forecast.values],
    },
    forecast_error: {
      ...{ typical: error.typical, low: error.low, high: error.high, source: error.source },
    },
    notices: [...plan.warnings, ...notices],
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

const utc = (moment: number): string => new Date(moment * 1000).toISOString();

const span = ({ start, end }: { readonly start: number; readonly end: number }) => ({
  start: utc(start),
  end: utc(end),
});

const figureJson = ({ value, low, high, method, source }: AnyFigure) => ({
  ...{ value, low, high, method, source },
});
