// What `godwit slim` works on: the model, samples for it, and how answers are judged.

import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { UserError } from "../core/index.ts";
import {
  createSession,
  nativeRuntime,
  type OpenModel,
  openModelFile,
  type Port,
} from "../engine/index.ts";
import {
  type Feeds,
  type Judge,
  type Samples,
  samplesFor,
  truthOf,
  withDataInside,
} from "../models/compress/index.ts";
import {
  columnOf,
  ctcGreedy,
  type DataFinding,
  type Dataset,
  inspectDataset,
  type Metric,
  metricNamed,
  onlySplit,
  openDataset,
  readNpz,
  refuse,
} from "../models/data/index.ts";
import { elementsOf, type Graph, type Model, ModelError } from "../onnx/index.ts";
import type { CliContext } from "./context.ts";
import { importModule } from "./import-module.ts";
import { endingWith, SLIM_EXIT } from "./slim-exit.ts";
import type { DataOptions } from "./slim-options.ts";

/** A model of the user's, checked. Close it when its weights are no longer needed. */
export interface SlimModel extends OpenModel {
  readonly inputs: readonly Port[];
  /** The model with all weights in itself. */
  readonly whole: Model;
}

/** Opens a model. Its faults end with the code for bad models. */
export const openSlimModel = (path: string): Promise<SlimModel> =>
  endingWith(SLIM_EXIT.badModel, async () => {
    const opened = openModelFile(path);
    try {
      const whole = withDataInside(opened.model, opened.external);
      refuseOddWeights(whole.graph);
      const session = await createSession(path, { runtime: nativeRuntime(), threads: 1 });
      await session.close();
      return { ...opened, inputs: session.inputs, whole };
    } catch (error) {
      opened.close();
      throw error;
    }
  });

/** Weights that are not finite make every figure after them meaningless. */
function refuseOddWeights(graph: Graph | undefined): void {
  const odd = (graph?.initializers ?? []).filter((tensor) => {
    if (tensor.dataType !== "float32" && tensor.dataType !== "float64") return false;
    return (elementsOf(tensor) as Float32Array).some((value) => !Number.isFinite(value));
  });
  if (odd.length === 0) return;
  const names = odd.slice(0, 5).map(({ name }) => `"${name}"`);
  throw new ModelError(`weights are not finite: ${names.join(", ")}`, "", {
    hint: "Export the model again: what it computes is NaN or infinite.",
  });
}

/** Samples and the judge of a command line. */
export interface SlimInputs {
  readonly dataset: Dataset;
  readonly samples: Omit<Samples, "rows">;
  readonly judge: Judge;
  /** What is to be said about the data in the report. */
  readonly findings: readonly DataFinding[];
}

/** Samples that run at once while models are judged; costs are measured at the deployed batch. */
const JUDGING_BATCH = 8;

/** Opens data for a model. Faults end with the code for bad data. */
export const openSlimInputs = (
  context: CliContext,
  model: Pick<SlimModel, "inputs">,
  options: DataOptions,
): Promise<SlimInputs> =>
  endingWith(SLIM_EXIT.badData, async () => {
    const dataset = await openSamples(context, options);
    const fixed =
      options.fixed === undefined ? {} : await fixedInputs(resolve(context.cwd, options.fixed));
    const batch = Math.max(JUDGING_BATCH, options.batch);
    const samples = samplesFor(dataset, model.inputs, { fixed, batch });
    const findings = await inspectDataset(dataset, "verification", { limit: 500 });
    refuse(dataset, findings, [
      ...(options.allowNonfiniteInputs === true ? (["non-finite"] as const) : []),
      ...(options.force === true ? (["too-few", "one-label", "constant-input"] as const) : []),
    ]);
    return { dataset, samples, findings, judge: await judgeOf(context, dataset, samples, options) };
  });

async function openSamples(context: CliContext, options: DataOptions): Promise<Dataset> {
  const { imageSize, layout, channels, scale, mean, deviation, tokenizer } = options;
  const images = {
    ...imageSize,
    ...(layout === undefined ? {} : { layout }),
    ...(channels === undefined ? {} : { channels }),
    ...(scale === undefined ? {} : { scale }),
    ...(mean === undefined ? {} : { mean }),
    ...(deviation === undefined ? {} : { deviation }),
  };
  if (options.data === undefined) {
    throw new UserError("usage", "no samples are given", {
      hint: "Add --data with a dataset, a file, a folder or a module: calibration and verification need samples.",
    });
  }
  const path = resolve(context.cwd, options.data);
  const opened = await openDataset(existsSync(path) ? path : options.data, context.host, {
    importModule: importModule(context),
    images,
    ...(options.allowNonfiniteInputs === true ? { allowNonFinite: true } : {}),
    ...(tokenizer === undefined
      ? {}
      : { text: { column: options.textColumn, tokenizer, length: options.textLength } }),
  });
  return onlySplit(opened);
}

async function fixedInputs(path: string): Promise<Feeds> {
  const arrays = await readNpz(path, await readFile(path));
  return Object.fromEntries(arrays);
}

async function judgeOf(
  context: CliContext,
  dataset: Dataset,
  { columns }: Omit<Samples, "rows">,
  options: DataOptions,
): Promise<Judge> {
  const truth = options.label ?? truthOf(dataset, columns.values());
  if (options.label !== undefined) columnOf(dataset, options.label);
  const metric = await metricOf(context, dataset, truth, options.metric);
  return {
    metric,
    truth: metric.name === "agreement" ? null : truth,
    ...(options.output === undefined ? {} : { output: options.output }),
    ...(options.alphabet === undefined
      ? {}
      : { decode: decoderOf(resolve(context.cwd, options.alphabet)) }),
  };
}

async function metricOf(
  context: CliContext,
  dataset: Dataset,
  truth: string | null,
  name: string | undefined,
): Promise<Metric> {
  if (name !== undefined && /\.(m?[jt]s)$/.test(name)) return importedMetric(context, name);
  if (name !== undefined) return metricNamed(name);
  if (truth === null) return metricNamed("agreement");
  const { dataType } = columnOf(dataset, truth);
  if (dataType === "string") return metricNamed("exact-match");
  return metricNamed(dataType.startsWith("float") ? "mse" : "accuracy");
}

/** A metric of the user's: a module whose default export has `name`, `better` and `of`. */
async function importedMetric(context: CliContext, path: string): Promise<Metric> {
  const { default: metric } = await importModule(context)(path);
  const given = metric as Partial<Metric> | undefined;
  if (typeof given?.of === "function" && (given.better === "higher" || given.better === "lower")) {
    return { name: given.name ?? path, better: given.better, of: given.of };
  }
  throw new UserError("invalid-input", `${path} exports no metric`, {
    hint: 'Export default { name, better: "higher" or "lower", of(predictions, truth) }.',
  });
}

function decoderOf(path: string): NonNullable<Judge["decode"]> {
  const characters = readFileSync(path, "utf8").replace(/\n$/, "").split("\n");
  // The blank is class 0, and recognisers put the space behind the characters of their file.
  const alphabet = ["", ...characters, " "];
  return (scores) => ctcGreedy(scores, { alphabet });
}
