// A model with exits on its way to its place: written, verified in a process of its own, run in turns with the
// original on samples of the verification, since what it costs depends on how many samples leave early.

import { rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { writeFileAtomic } from "../core/host/write-file-atomic.ts";
import { createSession, nativeRuntime, type Session } from "../engine/index.ts";
import { type Cost, type Feeds, feedsOf, measureCosts, sha256 } from "../models/compress/index.ts";
import { type ChosenExits, type ExitDesign, exitModel } from "../models/dynamic/index.ts";
import { encodeModel, type Model } from "../onnx/index.ts";
import type { Outcome, SlimCost, SlimFile, SlimTrial } from "../report/slim/report.ts";
import { changeText } from "../report/slim/words.ts";
import type { CliContext } from "./context.ts";
import { MEASURING, slimCost } from "./slim-costs.ts";
import type { ExitFound, Way } from "./slim-early-exit-find.ts";
import { dataArguments } from "./slim-options.ts";
import { type VerifyPlan, verifyAside } from "./slim-verify.ts";

export interface ExitSettled extends ExitFound {
  readonly outcome: Outcome;
  /** The exits that were tried last, or those that could not be shown; null where none pay. */
  readonly exits: ChosenExits | null;
  readonly trials: readonly SlimTrial[];
  /** Without exits, the original, with exits; none where no file passed the verification. */
  readonly measured: readonly SlimCost[];
  /** Null where nothing was written. */
  readonly written: { readonly file: SlimFile; readonly model: Model } | null;
  /** Inputs of the runs that costs are measured on. */
  readonly runs: readonly [Feeds, ...Feeds[]];
}

/** Samples that costs are measured on. */
const MEASURED = 200;

/** Writes the file of the first exits that are shown to be good and cost less. */
export async function settleExits(
  context: CliContext,
  found: ExitFound,
  way: Way,
): Promise<ExitSettled> {
  const { request, chosen, wished } = found;
  const none = { ...found, exits: wished, trials: [], measured: [], written: null };
  const start = { ...none, runs: await runsOf(found) };
  if (chosen.length === 0) return { ...start, outcome: wished === null ? "nothing" : "not-shown" };
  const output = resolve(context.cwd, request.options.out);
  const waiting = join(dirname(output), `.${basename(output)}.unverified`);
  try {
    const trials: SlimTrial[] = [];
    for (const exits of chosen) {
      const model = exitModel(designOf(found, exits), found.operators);
      const bytes = encodeModel(model);
      await writeFileAtomic(waiting, bytes);
      trials.push(await verified(context, found, { exits, waiting, way }));
      const verdict = trials.at(-1)?.verdict;
      const now = { ...start, exits, trials };
      if (verdict === "faulty") return { ...now, outcome: "faulty" };
      if (verdict === "not-shown") continue;
      way.progress.stage("measuring it and the original in turns");
      const measured = await costsOf(start, waiting, way.signal);
      const isLess = measured.at(-1)?.ratio.verdict === "less";
      if (!isLess) return { ...now, measured, outcome: "nothing" };
      await rename(waiting, output);
      const file = { path: output, sha256: await sha256(bytes), bytes: bytes.length };
      return { ...now, measured, written: { file, model }, outcome: "improved" };
    }
    return { ...start, exits: chosen.at(-1) ?? null, trials, outcome: "not-shown" };
  } finally {
    await rm(waiting, { force: true });
    await rm(planFile(waiting), { force: true });
  }
}

/** The model with the exits that were chosen. */
const designOf = (
  { base, fitted: { heads, confidence } }: ExitFound,
  { places, plan }: ChosenExits,
): ExitDesign => ({
  model: base,
  heads: places.flatMap((place) => heads[place] ?? []),
  thresholds: plan.thresholds,
  confidence,
});

const planFile = (waiting: string): string => `${waiting}.json`;

async function verified(
  context: CliContext,
  { request: { model, options }, parts, settings, costs }: ExitFound,
  of: { readonly exits: ExitFound["chosen"][number]; readonly waiting: string; readonly way: Way },
): Promise<SlimTrial> {
  const { exits, waiting, way } = of;
  way.progress.stage(`verifying ${exits.places.length} exits on ${parts.verify.length} samples`);
  const plan: VerifyPlan = { rows: parts.verify, alpha: exits.alpha, settings };
  await writeFileAtomic(planFile(waiting), `${JSON.stringify(plan)}\n`);
  const args = [
    ...dataArguments(options),
    ...["--max-drop", String(options.maxDrop), "--one-row", "--plan", planFile(waiting)],
  ];
  const trial = await verifyAside(context, [model, waiting], args, way.signal);
  const name = `exits with CPU time ${changeText(exits.plan.cost / costs.base)} expected`;
  return { ...trial, name };
}

/** Inputs of single samples, spread over the verification part, which may be sorted by its labels. */
async function runsOf({ inputs, parts }: ExitFound): Promise<ExitSettled["runs"]> {
  const { verify } = parts;
  const count = Math.min(MEASURED, verify.length);
  const rows = Array.from({ length: count }, (_, at) => {
    return verify[Math.floor((at * verify.length) / count)] as number;
  });
  const [first, ...others] = await Promise.all(rows.map((row) => feedsOf(inputs.samples, [row])));
  if (first === undefined) throw new RangeError("no samples to measure on");
  return [first, ...others];
}

/** What a sample costs without exits, in the original, and with exits. */
async function costsOf(
  {
    base,
    model,
    settings,
    runs,
    request,
  }: Pick<ExitSettled, "base" | "model" | "settings" | "runs" | "request">,
  changed: string,
  signal: AbortSignal,
): Promise<readonly SlimCost[]> {
  const variants = [
    ["simplified, without exits", base],
    ["original", model.path],
    ["with exits", changed],
  ] as const;
  const sessions: Session[] = [];
  try {
    for (const [, source] of variants) {
      sessions.push(await createSession(source, { ...settings, runtime: nativeRuntime() }));
    }
    const measured = await measureCosts(
      sessions.map((session, at) => ({
        name: variants[at]?.[0] ?? "",
        items: runs.length,
        run: async () => {
          for (const feeds of runs) await session.run(feeds);
        },
      })),
      { ...MEASURING[request.options.effort], signal },
    );
    return measured.map((cost) => slimCost(cost.name, settings, perSample(cost, runs.length)));
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

/** A run of the measurement goes over all samples: its latency is that of so many. */
const perSample = (cost: Cost, samples: number): Cost => ({
  ...cost,
  latency: { p50: cost.latency.p50 / samples, p95: cost.latency.p95 / samples },
});
