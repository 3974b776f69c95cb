// A model run on this machine: latency, CPU time and energy of whole runs.

import { type Figure, figure, median, quantile } from "../../../core/index.ts";
import {
  createSession,
  type ModelSource,
  type Session,
  type SessionOptions,
  type SessionSettings,
  type TensorValue,
} from "../../../engine/index.ts";
import type { Measurer } from "../../run/index.ts";

export interface RunOptions extends SessionOptions {
  readonly measurer: Measurer;
  /** Runs that count. Default: as many as fill two seconds, at least 10. */
  readonly repeats?: number;
  /** Runs before those. Default: 3. */
  readonly warmUp?: number;
}

/** What one run of a model costs here. */
export interface RunCost {
  readonly settings: SessionSettings;
  readonly repeats: number;
  /** Median, with the 5 % and 95 % points of the runs. */
  readonly latency: Figure<"s">;
  /** CPU time of one run, all threads; null where the machine does not tell. */
  readonly cpuTime: Figure<"s"> | null;
  /** Energy of one run; null, with a notice, where nothing could tell it. */
  readonly energy: Figure<"J"> | null;
  readonly emissions: Figure<"gCO2e"> | null;
  readonly notices: readonly string[];
}

/** Sensors and models need a while to see anything, seconds. */
const FILL = 2;
const LEAST_REPEATS = 10;

/** Runs the model and measures it. */
export async function timedRun(
  source: ModelSource,
  feeds: Readonly<Record<string, TensorValue>>,
  options: RunOptions,
): Promise<RunCost> {
  const session = await createSession(source, options);
  try {
    return await timedSession(session, feeds, options);
  } finally {
    await session.close();
  }
}

async function timedSession(
  session: Session,
  feeds: Readonly<Record<string, TensorValue>>,
  { measurer, warmUp = 3, ...options }: RunOptions,
): Promise<RunCost> {
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < Math.max(1, warmUp); run++) {
    fastest = Math.min(fastest, await secondsOf(() => session.run(feeds)));
  }
  const repeats = options.repeats ?? Math.max(LEAST_REPEATS, Math.ceil(FILL / fastest));
  const times: number[] = [];
  const { energy, emissions, notices, card } = await measurer.measure("inference", async () => {
    for (let run = 0; run < repeats; run++) {
      times.push(await secondsOf(() => session.run(feeds)));
    }
  });
  const sorted = times.toSorted((a, b) => a - b);
  const middle = median(times);
  const cpu = card?.measures.cpuTime;
  return {
    settings: session.settings,
    repeats,
    latency: figure(
      "s",
      middle,
      { low: quantile(sorted, 0.05), high: quantile(sorted, 0.95) },
      { method: "measured", source: `median of ${repeats} runs, monotonic clock` },
    ),
    cpuTime: cpu === undefined ? null : each(cpu, repeats),
    energy: energy === undefined ? null : each(energy, repeats),
    emissions: emissions === undefined ? null : each(emissions, repeats),
    notices,
  };
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** One of so many equal parts of a figure. */
const each = <U extends "s" | "J" | "gCO2e">(of: Figure<U>, parts: number): Figure<U> =>
  figure(
    of.unit,
    of.value / parts,
    { low: of.low / parts, high: of.high / parts },
    {
      ...of,
      source: `${of.source}, over ${parts} runs`,
    },
  );
