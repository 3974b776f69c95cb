// The answer to "when shall I start it?": the plan of one job, whether waiting is worth it and why not,
// and what every built-in policy would have done. What is said of it, and how, is a face's business.

import { formatDuration, UserError } from "../../core/index.ts";
import { durationAt } from "./duration.ts";
import { exposureOf, requireReach } from "./exposure.ts";
import { checkJob, type Job, latestStart } from "./job.ts";
import type { JobPlan, Plan } from "./plan.ts";
import { type PlanOptions, plan, workOf } from "./planner.ts";
import { builtInPolicies, unfitness } from "./policies/built-in.ts";
import { timedBy } from "./policies/place-shift.ts";
import type { Run } from "./policies/policy.ts";
import { runNow } from "./policies/run-now.ts";
import type { Signal } from "./signal.ts";

/** What a policy would do on the same forecast, before any guard. */
export type Proposal =
  | {
      readonly status: "placed";
      readonly policy: string;
      readonly runs: readonly Run[];
      readonly grams: number;
      /** Share saved of the emissions of starting at once; negative when it emits more. */
      readonly share: number;
    }
  | { readonly status: "unfit"; readonly policy: string; readonly reason: string };

/** What to do. */
export type Verdict =
  /** Start later, or start and pause as planned. */
  | { readonly kind: "wait" }
  /** No later start is expected to emit less. */
  | { readonly kind: "now-is-best" }
  /** The policy would wait, but for less than the forecast can tell or the user asked for. */
  | { readonly kind: "not-worth-it"; readonly share: number; readonly needed: number }
  /** The deadline cannot be kept with probability 0.95 any more. */
  | { readonly kind: "late" };

export interface Advice {
  readonly job: Job;
  readonly forecast: Signal;
  readonly options: PlanOptions;
  readonly plan: Plan;
  readonly jobPlan: JobPlan;
  readonly verdict: Verdict;
  /** One for each built-in policy; empty when the job is late. */
  readonly proposals: readonly Proposal[];
}

/** Advice on one job in one zone. Throws UserError for a job that cannot end in time at all. */
export function advise(job: Job, forecast: Signal, options: PlanOptions): Advice {
  checkJob(job);
  requireRoom(job, options.now);
  const unfit = unfitness(job, options.policy);
  if (unfit !== null)
    throw new UserError("usage", `the policy ${options.policy.name} does not fit: ${unfit}`, {
      hint: "Leave the policy out to have the one that fits, or say how the job is interrupted.",
    });
  const made = plan([job], [forecast], options);
  const [jobPlan] = made.jobs;
  if (jobPlan === undefined) throw new RangeError("a plan of one job has one job");
  const isLate = latestStart(job, job.zones[0]) < Math.max(options.now, job.earliest);
  const proposals = isLate ? [] : proposalsOf(job, forecast, options.now);
  const verdict = verdictOf({ jobPlan, proposals, options, isLate });
  return { job, forecast, options, plan: made, jobPlan, verdict, proposals };
}

/** A job whose median duration does not fit has no plan; one whose 95 % duration does not is late. */
function requireRoom(job: Job, now: number): void {
  const begins = Math.max(now, job.earliest) + job.zones[0].startLatencyS;
  const median = durationAt(job.duration, 0.5);
  if (begins + median <= job.deadline) return;
  const room = Math.max(0, job.deadline - begins);
  throw new UserError(
    "invalid-input",
    `the job takes ${formatDuration(median)}, its window is ${formatDuration(room)}`,
    { hint: "Give a later deadline, an earlier start, or a shorter duration." },
  );
}

function proposalsOf(job: Job, forecast: Signal, now: number): readonly Proposal[] {
  const [placement] = job.zones;
  const exposure = exposureOf(forecast);
  const work = workOf(job, placement, now);
  requireReach(exposure, work.earliest, job.deadline);
  const place = { placement, forecast: exposure, work };
  const usual = timedBy(runNow)(place).runGrams;
  return builtInPolicies.map((policy): Proposal => {
    const reason = unfitness(job, policy);
    if (reason !== null) return { status: "unfit", policy: policy.name, reason };
    const { runs, runGrams: grams } = timedBy(policy)(place);
    return { status: "placed", policy: policy.name, runs, grams, share: 1 - grams / usual };
  });
}

function verdictOf(of: {
  readonly jobPlan: JobPlan;
  readonly proposals: readonly Proposal[];
  readonly options: PlanOptions;
  readonly isLate: boolean;
}): Verdict {
  const { jobPlan, proposals, options, isLate } = of;
  if (isLate) return { kind: "late" };
  const proposed = proposals.find(({ policy }) => policy === options.policy.name);
  const [first, ...more] = jobPlan.runs;
  const startsAtOnce = more.length === 0 && (first?.start ?? NaN) <= jobPlan.counterfactual.start;
  if (!startsAtOnce || proposed?.status !== "placed") return { kind: "wait" };
  const [wanted, ...others] = proposed.runs;
  if (others.length === 0 && wanted?.start === first?.start) return { kind: "now-is-best" };
  const needed = Math.max(options.threshold, options.error.typical);
  return { kind: "not-worth-it", share: proposed.share, needed };
}
