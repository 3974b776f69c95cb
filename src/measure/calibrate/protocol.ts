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
import {
  type CalibrationStep,
  isSteady,
  meanWatts,
  type Stretch,
  stretchesOf,
  withoutOutliers,
} from "./step.ts";
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

/** One step: until power is steady, then for as long as readings are taken. */
async function measureStep(
  options: ProtocolOptions,
  context: StepContext,
): Promise<CalibrationStep> {
  const { host, truth, seconds, threads } = options;
  const { asked, start } = context;
  const watch = watchSensors(options);
  const { settled, from } = await settle(watch, options, context);
  const begin = watch.ticks.at(-1)?.t ?? 0;
  let t = begin;
  while (t < begin + seconds) t = await watch.look();
  const typed = truth.kind === "typed" ? await answered(truth.ask(context), watch.look) : null;

  const readings = watch.seen(from, watch.isMeter);
  const kept = withoutOutliers(readings);
  const isBesides = ({ domain }: Sensor): boolean => domain === "gpu" || domain === "board";
  const length = (watch.ticks.at(-1)?.t ?? t) - begin;
  return {
    asked,
    ...loadBetween(watch.ticks.slice(from), threads),
    wall: typed ?? meanWatts(kept) ?? Number.NaN,
    spread: kept.length < 2 ? 0 : standardDeviation(kept.map(({ watts }) => watts)),
    readings: typed === null ? kept.length : 1,
    discarded: readings.length - kept.length,
    components: meanWatts(watch.seen(from, (sensor) => !watch.isMeter(sensor))),
    besides:
      meanWatts(watch.seen(from, (sensor) => !watch.isMeter(sensor) && isBesides(sensor))) ?? 0,
    at: Number(host.monotonic() - start) / 1e9 - length / 2,
    settled,
  };
}

/** All sensors during one step. */
interface Watch {
  readonly ticks: readonly TickRecord[];
  readonly isMeter: (sensor: Sensor) => boolean;
  /** Waits for the next readings; seconds since the step began. */
  look(): Promise<number>;
  /** Power of some of the sensors together, from a tick on. */
  seen(from: number, wanted: (sensor: Sensor) => boolean): readonly Stretch[];
}

function watchSensors({ host, truth, components, signal }: ProtocolOptions): Watch {
  const meters = truth.kind === "typed" ? [] : truth.sensors;
  const sensors = [...meters, ...components];
  const ticks: TickRecord[] = [];
  const gaps: GapRecord[] = [];
  const sampler = createSampler({
    host,
    sensors,
    usage: (machine) => usageOf(machine, () => ownUse(host)),
    interval: PERIOD,
    emit: (record) => {
      if (record.type === "tick") ticks.push(record);
      if (record.type === "gap") gaps.push(record);
    },
  });
  return {
    ticks,
    isMeter: (sensor) => meters.includes(sensor),
    async look() {
      if (ticks.length > 0) await host.sleep(PERIOD * 1000, signal);
      return (await sampler.poll()).t;
    },
    seen(from, wanted) {
      const places = sensors.flatMap((sensor, place) => (wanted(sensor) ? [place] : []));
      const own = gaps.filter((gap) => places.some((place) => sensors[place]?.id === gap.sensor));
      return places.length === 0 ? [] : stretchesOf(ticks.slice(from), own, places);
    },
  };
}

/** Waits for steady power: of the meter, else of the components, else for as long as is usual. */
async function settle(
  watch: Watch,
  { truth, components, seconds }: ProtocolOptions,
  { asked, before }: StepContext,
): Promise<{ readonly settled: boolean; readonly from: number }> {
  const isBlind = truth.kind === "typed" && components.length === 0;
  const moved = before === null || before.asked === asked ? null : before;
  const isTelling = truth.kind === "typed" ? () => true : watch.isMeter;
  const left = (truth.kind === "typed" ? moved?.components : moved?.wall) ?? null;
  const longest = isBlind ? BLIND_SETTLING : Math.max(LONGEST_SETTLING, 2 * seconds);
  let settled = false;
  let t = await watch.look();
  while (!settled && t < longest) {
    t = await watch.look();
    settled = !isBlind && isSteady(watch.seen(0, isTelling), left);
  }
  return { settled: settled || isBlind, from: watch.ticks.length - 1 };
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
