// From jobs and forecasts to a plan. The policy proposes; guards have the last word: pinned jobs never
// move, deadlines are kept with probability 0.95, and nothing waits for a saving that is within the
// forecast's own error. Planning again on a newer forecast is planning with the previous plan at hand.

import { exact, type Figure, figure, product, sum, UserError } from "../../core/index.ts";
import { durationAt, meanDuration } from "./duration.ts";
import { between, type Exposure, exposureOf, gramsOf, requireReach } from "./exposure.ts";
import type { ForecastError } from "./forecast-error.ts";
import { checkJob, type Job, latestStart, type Placement, plannedDuration } from "./job.ts";
import type { Counterfactual, JobPlan, Plan, Reason, SecondView } from "./plan.ts";
import { type ScaledRun, scaleByMargin } from "./policies/carbon-scaler.ts";
import { lowestWindow } from "./policies/lowest-window.ts";
import {
  type Place,
  type PlaceChoice,
  placeShift,
  type Timing,
  timedBy,
} from "./policies/place-shift.ts";
import type { Policy, Work } from "./policies/policy.ts";
import { runNow } from "./policies/run-now.ts";
import { requireLike, type Signal, type SignalBasis, type SignalKind } from "./signal.ts";

/** How to plan. Nothing here has a default: each is part of what a plan claims. */
export interface PlanOptions {
  /** Moment of planning, Unix seconds. Nothing is planned before it. */
  readonly now: number;
  readonly policy: Policy;
  /** How far off savings by these forecasts have been. */
  readonly error: ForecastError;
  /** Least share of emissions for which a job may wait: 0.02 is 2 %. */
  readonly threshold: number;
  /** Signals of another kind or basis, shown beside the plan and compared in sign. */
  readonly beside?: readonly Signal[];
  /** The plan this one replaces; its counterfactuals stand where the new forecast begins later. */
  readonly previous?: Plan;
}

/** Plans every job. `forecasts` are of one kind and basis, one for each zone. */
export function plan<K extends SignalKind, B extends SignalBasis>(
  jobs: readonly Job[],
  forecasts: readonly [Signal<K, B>, ...Signal<NoInfer<K>, NoInfer<B>>[]],
  options: PlanOptions,
): Plan {
  const [first, ...others] = forecasts;
  requireLike(first, ...others);
  for (const job of jobs) checkJob(job);
  const zones = new Map(forecasts.map((one) => [one.zone, exposureOf(one)]));
  const beside = (options.beside ?? []).map(exposureOf);
  const plans = jobs.map((job) => planJob(job, { zones, beside, options }));
  return {
    schema: "godwit.plan/1",
    plannedAt: options.now,
    policy: options.policy.name,
    kind: first.kind,
    basis: first.basis,
    sources: [...new Set(forecasts.map(({ source }) => source))],
    jobs: plans,
    warnings: plans.flatMap(disagreements),
  };
}

interface Setting {
  readonly zones: ReadonlyMap<string, Exposure>;
  readonly beside: readonly Exposure[];
  readonly options: PlanOptions;
}

function planJob(job: Job, setting: Setting): JobPlan {
  const { options } = setting;
  const { places, reasons: skipped } = placesOf(job, setting);
  const [home] = places;
  const counterfactual = counterfactualOf(job, home, options);
  const { choice, reasons } = decide(job, places, counterfactual, options);
  const expected = emissionsOf(job, choice, options.error);
  const grams = choice.runGrams + choice.transferGrams;
  const end = choice.runs.at(-1)?.end ?? NaN;
  const begins = counterfactual.start + home.placement.startLatencyS;
  const [first, ...more] = choice.runs;
  const isUsual = choice.place === home && more.length === 0 && first?.start === begins;
  const usualEnd = begins + plannedDuration(job);
  return {
    id: job.id,
    zone: choice.place.placement.zone,
    runs: choice.runs,
    latestStart: latestStart(job, choice.place.placement),
    expected,
    counterfactual,
    saving: isUsual
      ? exact("gCO2e", 0, { method: "estimated", source: "the plan is the counterfactual" })
      : savingOf(counterfactual.emissions.value, grams, options.error),
    delayS: Math.max(0, end - usualEnd),
    reasons: [...skipped, ...reasons],
    secondViews: secondViews(job, choice, counterfactual, setting.beside),
  };
}

/** The zones with a forecast; home must have one. */
function placesOf(job: Job, { zones, options }: Setting) {
  const reasons: Reason[] = [];
  const open = job.zones.flatMap((placement): Place[] => {
    const forecast = zones.get(placement.zone);
    if (forecast !== undefined)
      return [{ placement, forecast, work: workOf(job, placement, options.now) }];
    reasons.push({
      kind: "zone",
      text: `${placement.zone} has no forecast and was not considered`,
    });
    return [];
  });
  const [home, ...others] = open;
  if (home === undefined || home.placement !== job.zones[0])
    throw new UserError("invalid-input", `job ${job.id}: no forecast of ${job.zones[0].zone}`, {
      hint: "The zone a job would run in by itself needs a forecast: the saving is counted from it.",
    });
  return { places: [home, ...others] as const, reasons };
}

/** The job in a place, seen at `now`: work can begin once the start latency has passed. */
export function workOf(job: Job, placement: Placement, now: number): Work {
  const plannedS = plannedDuration(job);
  return {
    earliest: Math.max(now, job.earliest) + placement.startLatencyS,
    latestStart: job.deadline - plannedS,
    duration: job.duration,
    plannedS,
    watts: job.power.value,
    interruption: job.interruptible,
  };
}

interface Decision {
  readonly choice: PlaceChoice;
  readonly reasons: readonly Reason[];
}

function decide(
  job: Job,
  places: readonly [Place, ...Place[]],
  counterfactual: Counterfactual,
  { policy, error, threshold }: PlanOptions,
): Decision {
  const [home] = places;
  const atOnce = (reason: Reason): Decision => {
    requireReach(home.forecast, home.work.earliest, home.work.earliest + home.work.plannedS);
    return { choice: placeShift([home], timedBy(runNow)), reasons: [reason] };
  };
  if (job.pinned) return atOnce({ kind: "pinned", text: "pinned by its owner: never moved" });
  const inTime = places.filter(({ work }) => work.latestStart >= work.earliest);
  const [first, ...rest] = inTime;
  if (first === undefined) {
    const text = "started at once: its deadline cannot be kept with probability 0.95 any more";
    return atOnce({ kind: "deadline", text });
  }
  for (const { work, forecast } of inTime)
    requireReach(forecast, work.earliest, work.latestStart + work.plannedS);
  const { timing, reasons } = timingOf(job, policy);
  const choice = placeShift([first, ...rest], timing);
  const usual = counterfactual.emissions.value;
  const share = 1 - (choice.runGrams + choice.transferGrams) / usual;
  const least = Math.max(threshold, error.typical);
  if (first === home && share < least) {
    const text = `started at once: a saving of ${percent(share)} is below ${percent(least)}, ${
      error.typical >= threshold ? "the forecast's own error" : "the threshold"
    }`;
    return atOnce({ kind: "noise", text });
  }
  const text = `${policy.name}: ${percent(share)} less than started when submitted`;
  return { choice, reasons: [...reasons, { kind: "policy", text }] };
}

/** How a job is placed in time: scaled, interrupted or in one piece, as far as it allows. */
function timingOf(job: Job, policy: Policy) {
  const { scale, interruptible } = job;
  const reasons: Reason[] = [];
  if (scale !== null) return { timing: (place: Place) => scaledTiming(place, scale), reasons };
  if (policy.interrupts === "never") return { timing: timedBy(policy), reasons };
  if (interruptible === null) {
    const text = `it runs in one piece: ${lowestWindow.name} instead of ${policy.name}`;
    return { timing: timedBy(lowestWindow), reasons: [{ kind: "policy", text } as const] };
  }
  const costs = Object.values(interruptible).some((cost) => cost > 0);
  if (policy.interrupts === "free" && costs)
    throw new UserError(
      "invalid-input",
      `job ${job.id} pays for stopping, ${policy.name} does not`,
      {
        hint: "Plan it with suspend-resume.",
      },
    );
  return { timing: timedBy(policy), reasons };
}

function scaledTiming({ work, forecast }: Place, curve: readonly number[]): Timing {
  const runs = scaleByMargin(work, curve, forecast);
  const runGrams = runs.reduce((grams, run) => grams + scaledGrams(run, work.watts, forecast), 0);
  return { runs, runGrams };
}

const scaledGrams = ({ start, end, nodes }: ScaledRun, watts: number, forecast: Exposure): number =>
  gramsOf(watts * nodes, between(forecast, start, end));

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Started when submitted (or first allowed), at home, in one piece. */
function counterfactualOf(job: Job, home: Place, { error, previous }: PlanOptions): Counterfactual {
  const known = previous?.jobs.find(({ id }) => id === job.id)?.counterfactual;
  const start = job.earliest;
  const begins = start + home.placement.startLatencyS;
  if (known !== undefined && begins < home.forecast.signal.start) return known;
  requireReach(home.forecast, begins, begins + home.work.plannedS);
  const work = { ...home.work, earliest: begins, latestStart: begins };
  const choice = placeShift([{ ...home, work }], timedBy(runNow));
  return { zone: home.placement.zone, start, emissions: emissionsOf(job, choice, error) };
}

/** Expected emissions: power x duration x mean intensity, each with its interval. */
function emissionsOf(job: Job, choice: PlaceChoice, error: ForecastError): Figure<"gCO2e"> {
  const { duration, power } = job;
  const { source } = choice.place.forecast.signal;
  const mean = meanDuration(duration);
  const bounds = [0.05, 0.95].map((p) => durationAt(duration, p));
  const [low = mean, high = mean] = [Math.min(mean, ...bounds), Math.max(mean, ...bounds)];
  const seconds = figure("s", mean, { low, high }, { method: "declared", source: "job" });
  const intensity = (choice.runGrams * 3.6e6) / (power.value * mean);
  const { level } = error;
  const seen = figure(
    "gCO2e/kWh",
    intensity,
    { low: intensity * level.low, high: intensity * level.high },
    { method: "estimated", source },
  );
  const run = product("gCO2e", [power, seconds, seen], { source: SOURCE, scale: 1 / 3.6e6 });
  if (choice.transferGrams === 0) return run;
  const moved = exact("gCO2e", choice.transferGrams, { method: "declared", source: "data moved" });
  return sum("gCO2e", [run, moved], { source: SOURCE });
}

const SOURCE = "power x duration x forecast intensity";

/** The interval is the forecast's error; that of power scales saving and emissions alike. */
function savingOf(usual: number, grams: number, { low, high, source }: ForecastError) {
  const saved = usual - grams;
  return figure(
    "gCO2e",
    saved,
    { low: saved + low * usual, high: saved + high * usual },
    { method: "estimated", source: `counterfactual less plan; error: ${source}` },
  );
}

/** The saving of the same plan by signals of another kind, where they cover the zones it touches. */
function secondViews(
  job: Job,
  { place, runs }: PlaceChoice,
  { start, zone }: Counterfactual,
  beside: readonly Exposure[],
): readonly SecondView[] {
  const begins = start + job.zones[0].startLatencyS;
  const ends = begins + plannedDuration(job);
  return beside
    .filter(({ signal }) => signal.zone === zone)
    .flatMap((home): SecondView[] => {
      const { kind, basis } = home.signal;
      const there = beside.find(
        ({ signal }) =>
          signal.zone === place.placement.zone && signal.kind === kind && signal.basis === basis,
      );
      if (there === undefined) return [];
      requireReach(home, begins, ends);
      requireReach(there, runs[0]?.start ?? begins, runs.at(-1)?.end ?? ends);
      const usual = gramsOf(job.power.value, between(home, begins, ends));
      const planned = runs.reduce((sum, run) => sum + scaledGrams(run, job.power.value, there), 0);
      return [{ kind, basis, savedGrams: usual - planned }];
    });
}

function disagreements({ id, saving, secondViews: views }: JobPlan): readonly string[] {
  return views
    .filter(({ savedGrams }) => savedGrams * saving.value < 0)
    .map(
      ({ kind, basis, savedGrams }) =>
        `${id}: by the ${kind} ${basis}-based signal the plan ${
          savedGrams < 0 ? "emits more" : "saves"
        }, by its own it ${savedGrams < 0 ? "saves" : "emits more"}`,
    );
}
