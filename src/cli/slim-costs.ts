// What the original and the smaller model cost, in turns, on the sample that the search was measured on.

import { seconds } from "../core/index.ts";
import {
  createSession,
  defaultThreads,
  type EngineOptions,
  type ModelSource,
  nativeRuntime,
  type Session,
} from "../engine/index.ts";
import { type Cost, feedsOf, measureCosts, settingText } from "../models/compress/index.ts";
import type { SlimCost } from "../report/slim/report.ts";
import type { SlimCosts, SlimFound } from "./slim-found.ts";

/** A cost as a report has it. */
export const slimCost = (name: string, settings: EngineOptions, cost: Cost): SlimCost => ({
  ...{ name, settings: settingText(settings), cpu: cost.cpu, latency: cost.latency },
  ratio: cost.ratio,
});

/** How long costs are measured, by effort. */
export const MEASURING = {
  quick: { rounds: 9, roundTime: seconds(0.02) },
  normal: { rounds: 15, roundTime: seconds(0.1) },
  high: { rounds: 25, roundTime: seconds(0.2) },
} as const;

/** The original tuned and as ONNX Runtime has it by default, and the result where there is one, in turns. */
export async function costsOf(
  of: Pick<SlimFound, "model" | "inputs" | "splits" | "result" | "request">,
  changed: string | null,
): Promise<SlimCosts> {
  const { model, inputs, splits, result, request } = of;
  const { batch, effort } = request.options;
  const rows = splits.search.slice(0, Math.min(batch, inputs.samples.batch));
  const feeds = await feedsOf(inputs.samples, rows);
  const tuned = result.tuning.settings;
  const variants: readonly (readonly [string, ModelSource, EngineOptions])[] = [
    ["original, tuned session", model.path, tuned],
    ["original, ONNX Runtime's defaults", model.path, DEFAULTS()],
    ...(changed === null ? [] : [["result", changed, tuned] as const]),
  ];
  const sessions: Session[] = [];
  try {
    for (const [, source, settings] of variants) {
      sessions.push(await createSession(source, { ...settings, runtime: nativeRuntime() }));
    }
    const measured = await measureCosts(
      sessions.map((session, at) => ({
        name: variants[at]?.[0] ?? "",
        items: rows.length,
        run: () => session.run(feeds),
      })),
      MEASURING[effort],
    );
    return {
      runtime: `onnxruntime-node ${sessions[0]?.settings.version ?? ""}`,
      costs: measured.map((cost, at) => slimCost(cost.name, variants[at]?.[2] ?? {}, cost)),
    };
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

const DEFAULTS = (): EngineOptions => ({ threads: defaultThreads(), spinning: true });

/** Whether the result costs less beyond noise; size is no matter of noise. */
export function isCheaper({ costs }: SlimCosts, objective: string): boolean {
  if (objective === "size") return true;
  return costs.find(({ name }) => name === "result")?.ratio.verdict === "less";
}
