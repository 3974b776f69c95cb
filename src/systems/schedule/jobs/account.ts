// What a job really emitted, what it would have emitted if started when it was submitted, and what a plan
// that knew everything would have: the figures behind "realised saving" and "regret".
//
// Energy E was used over the time it ran, taken as spread evenly: power is E / time. With C the integral of
// the intensity that came, a run from a to b emits E / time x (C(b) - C(a)). The counterfactual is the same
// work in one piece from the first moment allowed, without what coming back took. Energy is the same on
// both sides, so its error widens a saving and never turns its sign; the intensity's error may.

import {
  combinedMethod,
  type Figure,
  figure,
  JOULES_PER_KILOWATT_HOUR,
} from "../../../core/index.ts";
import { fixedDuration } from "../duration.ts";
import { between, type Exposure, exposureOf } from "../exposure.ts";
import type { Job } from "../job.ts";
import { bestPolicyFor } from "../policies/built-in.ts";
import { exposureOfRuns } from "../policies/cost.ts";
import type { Run, Work } from "../policies/policy.ts";
import { endOf, type Signal } from "../signal.ts";
import type { JobRecord } from "./record.ts";

/** The intensity that is taken for what came. */
export interface Trace {
  readonly signal: Signal;
  /** Whether it was recorded afterwards, or is only the forecast that was decided by. */
  readonly kind: "recorded" | "forecast";
}

export interface Account {
  readonly id: string;
  readonly trace: TraceInfo;
  readonly energy: Figure<"J">;
  /** Seconds it ran, and stretches in which it did. */
  readonly ranS: number;
  readonly pieces: number;
  readonly realised: Figure<"gCO2e">;
  readonly counterfactual: Figure<"gCO2e">;
  /** Counterfactual less realised; negative for a loss. */
  readonly saving: Figure<"gCO2e">;
  /** Of the counterfactual. */
  readonly share: number;
  /** Share that the first plan expected. */
  readonly plannedShare: number;
  /** Grams that a plan with perfect foresight would have saved; null where the trace ends too soon. */
  readonly oracleGrams: number | null;
  /** Realised less the oracle's; null with it. */
  readonly regretGrams: number | null;
  /** Seconds by which it ended later than the counterfactual would have. */
  readonly delayS: number;
  readonly isLate: boolean;
}

interface TraceInfo {
  readonly kind: Trace["kind"];
  readonly zone: string;
  readonly signal: Signal["kind"];
  readonly basis: Signal["basis"];
  readonly source: string;
}

/** Why a job has no account. */
export interface Unaccounted {
  readonly id: string;
  readonly reason: string;
}

/** The account of a job that is done; `energy` is that of its cards, or declared power over its time. */
export function accountOf(
  record: JobRecord,
  energy: Figure<"J">,
  { signal, kind }: Trace,
): Account | Unaccounted {
  const { id, job, endedAt, plan } = record;
  const refuse = (reason: string): Unaccounted => ({ id, reason });
  if (record.state !== "done" || endedAt === null) return refuse(`it is ${record.state}`);
  if (signal.kind !== plan.kind || signal.basis !== plan.basis)
    return refuse(`it was planned by ${plan.kind} ${plan.basis}-based intensity, the trace is not`);
  const spans = record.spans.map(({ start, end }) => ({ start, end: end ?? endedAt }));
  const ranS = spans.reduce((sum, { start, end }) => sum + end - start, 0);
  if (!(ranS > 0)) return refuse("it took no time that the clock could tell");
  const restarts = record.pausing?.kind === "checkpoint" ? spans.length - 1 : 0;
  const workS = Math.max(1e-3, ranS - restarts * (job.interruptible?.restartS ?? 0));
  const usual = { start: job.earliest, end: job.earliest + workS };
  const until = Math.max(endedAt, usual.end);
  if (signal.start > usual.start || endOf(signal) < until)
    return refuse("no carbon intensity covers the time from its submission to its end");
  const exposure = exposureOf(signal);
  const real = exposureOfAll(spans, exposure);
  const other = between(exposure, usual.start, usual.end);
  const perSecond = 1 / ranS / JOULES_PER_KILOWATT_HOUR;
  const realised = emitted(energy, real * perSecond, signal.source);
  const counterfactual = emitted(energy, other * perSecond, signal.source);
  const grams = counterfactual.value - realised.value;
  const first = record.firstPlan.jobs[0];
  const best = oracle({ job, workS, until: endOf(signal) }, exposure);
  const oracleGrams = best === null ? null : counterfactual.value - energy.value * best * perSecond;
  return {
    id,
    trace: {
      kind,
      zone: signal.zone,
      signal: signal.kind,
      basis: signal.basis,
      source: signal.source,
    },
    ...{ energy, ranS, pieces: spans.length, realised, counterfactual },
    saving: savingOf({ record, grams, energy, usual: counterfactual.value, kind }),
    share: counterfactual.value === 0 ? 0 : grams / counterfactual.value,
    plannedShare:
      first === undefined ? 0 : first.saving.value / first.counterfactual.emissions.value,
    oracleGrams,
    regretGrams: oracleGrams === null ? null : oracleGrams - grams,
    delayS: endedAt - usual.end,
    isLate: endedAt > job.deadline,
  };
}

const exposureOfAll = (runs: readonly Run[], of: Exposure): number =>
  runs.reduce((sum, { start, end }) => sum + between(of, start, end), 0);

/** Grams for energy that was used at this mean intensity (grams for each joule). */
const emitted = (energy: Figure<"J">, perJoule: number, source: string): Figure<"gCO2e"> =>
  figure(
    "gCO2e",
    energy.value * perJoule,
    { low: energy.low * perJoule, high: energy.high * perJoule },
    {
      method: combinedMethod([energy.method, "estimated"]),
      source: `energy x intensity: ${source}`,
    },
  );

/** The interval is that of the energy; where the trace is a forecast, the forecast's error besides. */
function savingOf(of: {
  readonly record: JobRecord;
  readonly grams: number;
  readonly usual: number;
  readonly energy: Figure<"J">;
  readonly kind: Trace["kind"];
}): Figure<"gCO2e"> {
  const { record, grams, usual, energy, kind } = of;
  const bounds = [energy.low, energy.high].map((bound) => (grams * bound) / energy.value);
  const { low, high } = record.planning.error;
  const [down, up] = kind === "forecast" ? [low * usual, high * usual] : [0, 0];
  return figure(
    "gCO2e",
    grams,
    { low: Math.min(grams, ...bounds) + down, high: Math.max(grams, ...bounds) + up },
    { method: "estimated", source: "counterfactual less realised" },
  );
}

/** Exposure of the best runs there were, of the kind that the job allows; null where nobody can tell yet. */
function oracle(
  of: { readonly job: Job; readonly workS: number; readonly until: number },
  exposure: Exposure,
): number | null {
  const { job, workS, until } = of;
  if (until < job.deadline || job.earliest + workS > job.deadline) return null;
  const work: Work = {
    earliest: job.earliest,
    latestStart: job.deadline - workS,
    duration: fixedDuration(workS),
    plannedS: workS,
    watts: job.power.value,
    interruption: job.interruptible,
  };
  return exposureOfRuns(work, bestPolicyFor(job).choose(work, exposure), exposure);
}
