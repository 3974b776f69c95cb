// The course of a calibration: one load after another, each held until power is steady and then for
// as long as readings are taken. Up in the given steps and down between them, back to the first: a
// drift then shows as a trend, and no level's rounding counts twice.

import type { Host } from "../../core/index.ts";
import { UserError } from "../../core/index.ts";
import { standardDeviation } from "../../core/statistics.ts";
import { MOST_BUSY } from "../run/idle.ts";
import type { GapRecord, TickRecord } from "../run/record.ts";
import { createSampler } from "../run/sampler.ts";
import { ownUse, usageOf } from "../run/usage.ts";
import type { Sensor } from "../sensors/sensor.ts";
import { type CalibrationStep, isSteady, meanWatts, stretchesOf, withoutOutliers } from "./step.ts";
import type { Truth } from "./truth.ts";

/** What makes the processors busy. */
export interface LoadGenerator {
  /** Makes this share of all logical processors busy, 0..1, from now on. */
  set(share: number): Promise<void>;
  /** Ends all load, for good. */
  stop(): Promise<void>;
}

export interface ProtocolOptions {
  readonly host: Host;
  readonly truth: Truth;
  /** Sensors that later runs count behind the plug; may be none. */
  readonly components: readonly Sensor[];
  readonly load: LoadGenerator;
  /** Shares of all logical processors, ascending. */
  readonly levels: readonly number[];
  /** Seconds of readings at each step, once power is steady. */
  readonly seconds: number;
  /** Logical processors. */
  readonly threads: number;
  /** Whether work of others is tolerated. */
  readonly tolerant: boolean;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: CalibrationStep, place: { index: number; count: number }) => void;
}

/** Seconds between readings. */
const PERIOD = 1;
/** Longest wait for steady power, seconds; twice the readings' time where that is longer. */
const LONGEST_SETTLING = 30;
/** Wait at each step where nothing shows whether power is steady: fans and clocks take seconds. */
const BLIND_SETTLING = 10;

/** The loads of a calibration in their order. A person is not asked to read them twice. */
export function sequenceOf(levels: readonly number[], truth: Truth["kind"]): readonly number[] {
  if (truth === "typed") return levels;
  const between = levels.slice(1).map((level, i) => (level + (levels[i] ?? level)) / 2);
  return [...levels, ...between.toReversed(), ...levels.slice(0, 1)];
}

/** Seconds that a calibration takes when power settles quickly. */
export const expectedSeconds = (count: number, seconds: number): number =>
  count * (seconds + BLIND_SETTLING);

/** Runs all steps. The load ends however this ends. */
export async function runSteps(options: ProtocolOptions): Promise<readonly CalibrationStep[]> {
  const { host, truth, levels, load, tolerant, onStep } = options;
  const sequence = sequenceOf(levels, truth.kind);
  const start = host.monotonic();
  const steps: CalibrationStep[] = [];
  try {
    for (const [index, asked] of sequence.entries()) {
      await load.set(asked);
      const step = await measureStep(options, {
        asked,
        index,
        start,
        before: steps.at(-1) ?? null,
      });
      if (asked === 0 && step.others > MOST_BUSY && !tolerant) throw busy(step.others);
      steps.push(step);
      onStep?.(step, { index, count: sequence.length });
    }
    return steps;
  } finally {
    await load.stop();
  }
}

interface StepContext {
  readonly asked: number;
  readonly index: number;
  readonly start: bigint;
  readonly before: CalibrationStep | null;
}

async function measureStep(
  options: ProtocolOptions,
  context: StepContext,
): Promise<CalibrationStep> {
  const { host, truth, components, seconds, threads, signal } = options;
  const { asked, start, before } = context;
  const meters = truth.kind === "typed" ? [] : truth.sensors;
  const sensors = [...meters, ...components];
  const ticks: TickRecord[] = [];
  const gaps: GapRecord[] = [];
  const sampler = createSampler({
    host,
    sensors,
    usage: () => usageOf(host, () => ownUse(host)),
    interval: PERIOD,
    emit: (record) => {
      if (record.type === "tick") ticks.push(record);
      if (record.type === "gap") gaps.push(record);
    },
  });
  const look = async (): Promise<number> => {
    await host.sleep(PERIOD * 1000, signal);
    return (await sampler.poll()).t;
  };
  const places = (wanted: (sensor: Sensor) => boolean): readonly number[] =>
    sensors.flatMap((sensor, place) => (wanted(sensor) ? [place] : []));
  const isMeter = (sensor: Sensor): boolean => meters.includes(sensor);
  const seen = (from: number, wanted: (sensor: Sensor) => boolean) => {
    const chosen = places(wanted);
    const own = gaps.filter(({ sensor }) => chosen.some((place) => sensors[place]?.id === sensor));
    return chosen.length === 0 ? [] : stretchesOf(ticks.slice(from), own, chosen);
  };

  const telling = meters.length > 0 ? isMeter : () => true;
  const moved = before === null || before.asked === asked ? null : before;
  const left = moved === null ? null : meters.length > 0 ? moved.wall : moved.components;
  let settled = false;
  let t = (await sampler.poll()).t;
  const longest = sensors.length === 0 ? BLIND_SETTLING : Math.max(LONGEST_SETTLING, 2 * seconds);
  while (!settled && t < longest) {
    t = await look();
    settled = sensors.length === 0 ? t >= BLIND_SETTLING : isSteady(seen(0, telling), left);
  }
  const from = ticks.length - 1;
  const end = t + seconds;
  while (t < end) t = await look();
  const typed = truth.kind === "typed" ? await answered(truth.ask(context), look) : null;

  const readings = seen(from, isMeter);
  const kept = withoutOutliers(readings);
  const isBesides = ({ domain }: Sensor): boolean => domain === "gpu" || domain === "board";
  return {
    asked,
    ...loadBetween(ticks.slice(from), threads),
    wall: typed ?? meanWatts(kept) ?? Number.NaN,
    spread: kept.length < 2 ? 0 : standardDeviation(kept.map(({ watts }) => watts)),
    readings: typed === null ? kept.length : 1,
    discarded: readings.length - kept.length,
    components: meanWatts(seen(from, (sensor) => !isMeter(sensor))),
    besides: meanWatts(seen(from, (sensor) => !isMeter(sensor) && isBesides(sensor))) ?? 0,
    at: Number(host.monotonic() - start) / 1e9 - (t - (ticks[from]?.t ?? t)) / 2,
    settled: settled || sensors.length === 0,
  };
}

/** Holds the load, and goes on reading, until a person has answered. */
async function answered(answer: Promise<number>, look: () => Promise<unknown>): Promise<number> {
  let isOpen = true;
  const closing = answer.finally(() => {
    isOpen = false;
  });
  // Whoever fails first is told; the other's fault would be told twice.
  closing.catch(() => {});
  while (isOpen) await look();
  return closing;
}

function loadBetween(
  ticks: readonly TickRecord[],
  threads: number,
): Pick<CalibrationStep, "utilisation" | "others"> {
  const [first, last] = [ticks[0], ticks.at(-1)];
  const capacity = ((last?.t ?? 0) - (first?.t ?? 0)) * threads;
  const share = (of: (tick: TickRecord) => number | null): number => {
    const [from, to] = [first && of(first), last && of(last)];
    return from == null || to == null ? Number.NaN : (to - from) / capacity;
  };
  const utilisation = share(({ busyS }) => busyS);
  const own = share(({ subjectS }) => subjectS);
  if (Number.isNaN(utilisation) || Number.isNaN(own)) throw unknownLoad();
  return { utilisation, others: Math.max(utilisation - own, 0) };
}

const unknownLoad = (): UserError =>
  new UserError("unsupported", "no calibration: the load of this machine cannot be read", {
    hint: "godwit doctor shows what can be read here.",
  });

const busy = (others: number): UserError =>
  new UserError(
    "unsupported",
    `no calibration: other processes use ${Math.round(others * 100)} % of the processors`,
    { hint: "End them and calibrate again, or accept it with --force." },
  );
