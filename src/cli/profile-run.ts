// `godwit profile --run`: the model on this machine, its nodes against the host's roofline, and the sweep
// over threads and batches.

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { cacheFolder, createFolderStore } from "../core/host/cache-folder.ts";
import { UserError } from "../core/index.ts";
import { nativeRuntime, type OpenModel, type TensorValue } from "../engine/index.ts";
import { locate } from "../measure/carbon/index.ts";
import { model as estimate } from "../measure/estimate/estimator.ts";
import { type InputShapes, inputShapes, type ModelCount } from "../measure/profile/index.ts";
import type { Roofline } from "../measure/profile/roofline.ts";
import { feedsFor } from "../measure/profile/run/feeds.ts";
import { hostRoofline, raiseRoofline } from "../measure/profile/run/host-roofline.ts";
import { type KernelTimes, kernelTimes } from "../measure/profile/run/kernels.ts";
import { readNpy } from "../measure/profile/run/npy.ts";
import { type Sweep, settingsOf, sweep } from "../measure/profile/run/sweep.ts";
import { type RunCost, timedRun } from "../measure/profile/run/timed-run.ts";
import { identifyMachine } from "../measure/run/identity.ts";
import { createMeasurer, type Measurer } from "../measure/run/index.ts";
import { providers } from "../measure/sensors/index.ts";
import type { CliContext } from "./context.ts";

export interface RunChoice {
  readonly inputs: InputShapes | undefined;
  readonly values: Readonly<Record<string, readonly number[]>>;
  /** Files by input. */
  readonly feeds: Readonly<Record<string, string>>;
  readonly threads?: number | undefined;
  readonly repeats?: number | undefined;
  readonly spin: boolean;
}

/** A run and what it is held against. */
export interface RunReport {
  readonly cost: RunCost;
  readonly times: KernelTimes;
  readonly roofline: Roofline;
}

/** Measures one setting. Throws UserError when ONNX Runtime is not installed. */
export async function runModel(
  context: CliContext,
  opened: OpenModel,
  { count, ...choice }: RunChoice & { readonly count: ModelCount },
): Promise<RunReport> {
  const { path, model, external } = opened;
  const given = Object.fromEntries(
    Object.entries(choice.feeds).map(([name, file]): readonly [string, TensorValue] => [
      name,
      readNpy(readFileSync(file), file),
    ]),
  );
  const feeds = feedsFor(model, {
    external,
    given,
    values: choice.values,
    ...(choice.inputs === undefined ? {} : { inputs: choice.inputs }),
  });
  const options = sessionOptions(choice);
  const measurer = await measurerOf(context);
  const repeats = choice.repeats === undefined ? {} : { repeats: choice.repeats };
  const cost = await timedRun(path, feeds, { ...options, ...repeats, measurer });
  const times = await kernelTimes(path, feeds, { ...options, count });
  const machine = await identifyMachine(context.host);
  const store = createFolderStore(join(cacheFolder(context.env), "roofline"));
  const here = {
    threads: cost.settings.threads,
    machine: `${machine.id} ${machine.cpu.name} onnxruntime ${cost.settings.version}`,
    store,
  };
  const roofline = await raiseRoofline(await hostRoofline(here), times.kernels, here);
  return { cost, times, roofline };
}

const sessionOptions = ({ threads, spin }: Pick<RunChoice, "threads" | "spin">) => ({
  // A fall-back would measure another engine than the one that is deployed.
  runtime: nativeRuntime(),
  spinning: spin,
  ...(threads === undefined ? {} : { threads }),
});

async function measurerOf({ host }: CliContext): Promise<Measurer> {
  const signal = await locate(host, {});
  return createMeasurer(() => ({ host, providers: [...providers, estimate], signal }));
}

const BATCHES = [1, 2, 4, 8, 16];

/** Runs every setting that is asked for: `threads`, `batch` or both. */
export async function sweepModel(
  context: CliContext,
  opened: OpenModel,
  choice: RunChoice & {
    readonly over: readonly ("threads" | "batch")[];
    readonly batch?: number | undefined;
  },
): Promise<Sweep> {
  const { model, path, external } = opened;
  const most = availableParallelism();
  const threads = choice.over.includes("threads")
    ? [1, 2, 4, 8, 16, 32, 64].filter((count) => count <= most)
    : [choice.threads ?? Math.min(most, 4)];
  const measurer = await measurerOf(context);
  const batches = choice.over.includes("batch") ? BATCHES : [choice.batch ?? 1];
  return sweep(settingsOf(threads, batches), async ({ threads: count, batch }) => {
    const sizes = choice.over.includes("batch") ? { batch } : {};
    const inputs = inputShapes(model, { shapes: choice.inputs ?? {}, sizes: {}, ...sizes });
    const feeds = feedsFor(model, {
      external,
      values: choice.values,
      ...(inputs === undefined ? {} : { inputs }),
    });
    const options = sessionOptions({ ...choice, threads: count });
    const repeats = choice.repeats === undefined ? {} : { repeats: choice.repeats };
    return timedRun(path, feeds, { ...options, ...repeats, measurer });
  });
}

/** The words after `--sweep`. */
export function parseSweep(text: string): readonly ("threads" | "batch")[] {
  return text.split(",").map((word) => {
    if (word === "threads" || word === "batch") return word;
    throw new UserError("usage", `--sweep: cannot read "${text}"`, {
      hint: "Give threads, batch, or threads,batch.",
    });
  });
}
