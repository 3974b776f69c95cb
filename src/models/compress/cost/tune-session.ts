// The session settings that run a model with the least CPU time. The original is tuned before anything is
// changed in it, so that what passes gain is not mistaken for what settings gain.

import { type Seconds, seconds } from "../../../core/index.ts";
import {
  createSession,
  defaultThreads,
  type EngineOptions,
  type ModelSource,
  type Session,
  tuneThreads,
} from "../../../engine/index.ts";
import type { Feeds } from "../pass.ts";
import { type Cost, measureCosts } from "./measure-cost.ts";

/** Settings and what a sample costs with them. */
export interface SettingCost {
  readonly settings: EngineOptions;
  readonly cost: Cost;
}

export interface SessionTuning {
  /** What runs the model with least CPU time. */
  readonly settings: EngineOptions;
  /**
   * The settings that ONNX Runtime has by default (threads that spin while they wait), then the best
   * number of threads without spinning; ratios are against the first.
   */
  readonly tried: readonly SettingCost[];
  /** Other settings with that number of threads; ratios are against it alone. */
  readonly turned: readonly SettingCost[];
}

export interface TuneSessionOptions {
  /** Samples in the feeds. Default: 1. */
  readonly items?: number;
  /** Time for each kind of setting. Default: 1 s. */
  readonly budget?: Seconds;
  /** Latency to keep. Default: none. */
  readonly maxLatency?: Seconds;
  /** Calls start this far apart, as in an idle service. Default: one after the other. */
  readonly interval?: Seconds;
  readonly signal?: AbortSignal;
}

/** Settings beside threads that may pay on some models. What only saves memory is not among them. */
const KNOBS: readonly EngineOptions[] = [{ memoryPattern: false }, { denormalsAsZero: true }];

/** A knob must gain this much beyond noise to be turned: fewer settings are easier to live with. */
const WORTH = 0.97;

/** Tries threads, then the other settings with that number of them. */
export async function tuneSession(
  model: ModelSource,
  feeds: Feeds,
  options: TuneSessionOptions = {},
): Promise<SessionTuning> {
  const { budget = seconds(1), maxLatency, items = 1, interval, signal } = options;
  const { threads } = await tuneThreads(model, feeds, {
    budget,
    ...(maxLatency === undefined ? {} : { maxLatency }),
  });
  const rounds = 9;
  const measuring = {
    ...{ items, rounds, roundTime: seconds(budget / rounds / 2) },
    ...(interval === undefined ? {} : { interval }),
    ...(signal === undefined ? {} : { signal }),
  };
  const base: EngineOptions = { threads, spinning: false };
  const defaults: EngineOptions = { threads: defaultThreads(), spinning: true };
  const tried = await costsOfSettings(model, feeds, [defaults, base], measuring);
  const knobs = KNOBS.map((knob) => ({ ...base, ...knob }));
  const [, ...turned] = await costsOfSettings(model, feeds, [base, ...knobs], measuring);
  const [best] = turned
    .filter(({ cost }) => cost.ratio.high < WORTH)
    .sort((a, b) => a.cost.ratio.value - b.cost.ratio.value);
  return { settings: best?.settings ?? base, tried, turned };
}

/** What a sample costs with each of several settings, the first being the base of ratios. */
async function costsOfSettings(
  model: ModelSource,
  feeds: Feeds,
  candidates: readonly EngineOptions[],
  options: Parameters<typeof measureCosts>[1] & { readonly items?: number },
): Promise<readonly SettingCost[]> {
  const sessions: Session[] = [];
  try {
    for (const settings of candidates) sessions.push(await createSession(model, settings));
    const variants = sessions.map((session, at) => ({
      name: settingText(candidates[at] ?? {}),
      items: options.items ?? 1,
      run: () => session.run(feeds),
    }));
    const costs = await measureCosts(variants, options);
    return costs.map((cost, at) => ({ settings: candidates[at] ?? {}, cost }));
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

/** Settings as one reads them: `2 threads, spinning`. */
export function settingText(settings: EngineOptions): string {
  const { threads, spinning, ...others } = settings;
  const count = threads === undefined ? [] : [`${threads} thread${threads === 1 ? "" : "s"}`];
  const rest = Object.entries(others).map(([key, value]) => `${key} ${String(value)}`);
  return [...count, ...(spinning === true ? ["spinning"] : []), ...rest].join(", ");
}
