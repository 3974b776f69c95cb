// Planning a job again on a newer forecast, or with what is left of it.

import type { Plan } from "../plan.ts";
import { plan } from "../planner.ts";
import { policyNamed } from "../policies/built-in.ts";
import type { Signal } from "../signal.ts";
import { planOf } from "./decide.ts";
import { remainingJob } from "./progress.ts";
import { isFinal, type JobRecord, type SignalJson } from "./record.ts";
import { signalToJson } from "./signal-json.ts";
import type { Changed } from "./store.ts";
import type { Moment } from "./transitions.ts";

/** Whether a forecast says something else than the one that the plan was made of. */
export const isNewer = (forecast: Signal, { forecast: known }: JobRecord): boolean =>
  differs(forecast, signalOfKnown(known));

/** Whether two forecasts are of different times, places or values. */
export const differs = (one: Comparable, other: Comparable): boolean =>
  one.zone !== other.zone ||
  one.issuedAt !== other.issuedAt ||
  one.start !== other.start ||
  one.values.length !== other.values.length ||
  one.values.some((value, at) => value !== other.values[at]);

interface Comparable extends Pick<Signal, "zone" | "issuedAt" | "start"> {
  readonly values: Float64Array | readonly number[];
}

/** What is compared, even of a forecast that is too damaged to plan by. */
const signalOfKnown = (known: SignalJson): Comparable => ({
  zone: known.zone,
  issuedAt: Date.parse(known.issued_at) / 1000,
  start: Date.parse(known.start) / 1000,
  values: known.values_gco2e_per_kwh,
});

/**
 * The record on a plan by this forecast. A job that has not begun is planned anew; of one that has, what
 * is left, while the figures stay those of its last whole plan. Null when there is nothing to plan any
 * more. Throws UserError when the forecast does not reach far enough: the old plan then stands.
 */
export function replan(record: JobRecord, forecast: Signal, at: Moment): Changed | null {
  if (isFinal(record) || record.cancelAsked) return null;
  const begun = record.spans.length > 0;
  if (begun && record.job.interruptible === null) return null;
  const fresh = plan([remainingJob(record, at)], [forecast], {
    now: at.now,
    policy: policyNamed(record.planning.policy),
    error: record.planning.error,
    threshold: record.planning.threshold,
    previous: record.plan,
  });
  const next = begun ? withRuns(record, fresh) : fresh;
  const [before, after] = [planOf(record).runs, planOf({ ...record, plan: next }).runs];
  const same = JSON.stringify(before) === JSON.stringify(after);
  return {
    record: {
      ...record,
      plan: next,
      forecast: signalToJson(forecast),
      replans: record.replans + 1,
      ...(record.state === "waiting" ? { reason: same ? record.reason : "planned again" } : {}),
    },
    kind: "replanned",
    text: same
      ? "on a newer forecast; it stays as it was"
      : `on a newer forecast: ${runsText(after)}`,
  };
}

function withRuns(record: JobRecord, fresh: Plan): Plan {
  const old = planOf(record);
  const { runs, latestStart, reasons } = planOf({ ...record, plan: fresh });
  return {
    ...record.plan,
    plannedAt: fresh.plannedAt,
    jobs: [{ ...old, runs, latestStart, reasons }],
  };
}

const runsText = (runs: readonly { readonly start: number; readonly end: number }[]): string =>
  runs.map(({ start, end }) => `${utc(start)} to ${utc(end)}`).join(", ");

const utc = (moment: number): string => new Date(moment * 1000).toISOString();
