// What a training run starts from: the data in its parts, the model for it, the loss that fits both.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { openFileSource } from "../core/host/file-source.ts";
import { UserError } from "../core/index.ts";
import { openModelFile } from "../engine/index.ts";
import {
  type Column,
  type Dataset,
  type OpenOptions,
  onlySplit,
  openDataset,
  resizedImages,
  type TrainingParts,
  trainingParts,
} from "../models/data/index.ts";
import { netNamed } from "../models/nets/index.ts";
import {
  metricFor,
  normaliseForTraining,
  type Recipe,
  withNewHead,
} from "../models/train/index.ts";
import type { ExternalData, Model, OperatorTable } from "../onnx/index.ts";
import type { CliContext } from "./context.ts";
import { importModule } from "./import-module.ts";
import type { OpenRecipe } from "./train-options.ts";

export interface TrainInputs {
  readonly recipe: Recipe;
  readonly parts: TrainingParts;
  readonly model: Model;
  readonly external?: ExternalData;
  /** Gives files back. */
  close(): void;
}

export interface InputOptions {
  readonly context: CliContext;
  readonly operators: OperatorTable;
}

/** Opens all of it. Throws UserError for what is not there or does not fit. */
export async function openInputs(open: OpenRecipe, options: InputOptions): Promise<TrainInputs> {
  // A slip of the pen is told before data is read.
  if ("net" in open.model) netNamed(open.model.net);
  const data = await openParts(open, options);
  const label = labelOf(data.train);
  const loss = open.loss ?? lossFor(label);
  const recipe: Recipe = { ...open, loss, metric: open.metric ?? metricFor(loss.kind) };
  const made = modelFor(recipe, { data: data.train, label, ...options });
  const side = imageSide(made.model, data.train);
  const opened = side === null ? data : await openParts(open, options, side);
  const sized = (part: Dataset): Dataset => fitted(part, made.model);
  tellResized(options.context, data.train, side);
  const { train, validation, test } = opened;
  const parts = {
    train: sized(train),
    validation: validation && sized(validation),
    test: test && sized(test),
  };
  return { recipe, parts, ...made };
}

/** Other pictures than the user's own are told: a model of another kind would be fed unnoticed. */
function tellResized(
  { stderr }: CliContext,
  { name, columns }: Dataset,
  side: readonly [number, number] | null,
): void {
  const [, height, width] = columns.find(({ shape }) => shape?.length === 3)?.shape ?? [];
  if (side === null || height === undefined) return;
  stderr.write(`note: pictures of ${name} go from ${width}x${height} to ${side[1]}x${side[0]}\n`);
}

/** Pictures that no file decodes anew, such as those of IDX files, at the size that the model wants. */
function fitted(data: Dataset, model: Model): Dataset {
  const side = imageSide(model, data);
  const image = data.columns.find(({ shape }) => shape?.length === 3);
  if (side === null || image === undefined) return data;
  return resizedImages(data, image.name, { height: side[0], width: side[1] });
}

/** The column of the truth, under one of the names it goes by. */
const labelOf = ({ columns }: Dataset): Column | undefined =>
  columns.find(({ name }) => TRUTHS.has(name));

const TRUTHS: ReadonlySet<string> = new Set(["label", "labels", "target", "targets", "class", "y"]);

/** The parts of the data; images are brought to a size where one is given. */
async function openParts(
  recipe: Pick<Recipe, "data" | "validation" | "test" | "seed">,
  { context }: Pick<InputOptions, "context">,
  side?: readonly [height: number, width: number],
): Promise<TrainingParts> {
  const images = side === undefined ? {} : { images: { height: side[0], width: side[1] } };
  const place = placeOf(recipe.data, context.cwd);
  const options = { ...images, importModule: importModule(context) };
  const opened = await openDataset(place, context.host, options);
  return trainingParts(opened, recipe);
}

/** A file or folder of that name, else what may be a name of the catalogue. */
function placeOf(spec: string, cwd: string): string {
  const path = resolve(cwd, spec);
  return existsSync(path) ? path : spec;
}

/** The loss that suits the truth: whole numbers are classes, others are amounts. */
const lossFor = (label: Column | undefined): Recipe["loss"] =>
  label === undefined || label.classes !== undefined || !label.dataType.startsWith("float")
    ? { kind: "cross-entropy" }
    : { kind: "mse" };

interface ModelNeeds extends InputOptions {
  readonly data: Dataset;
  readonly label: Column | undefined;
}

function modelFor(
  { model, seed }: Recipe,
  { operators, data, label, context: { cwd } }: ModelNeeds,
): Pick<TrainInputs, "model" | "external" | "close"> {
  const classes = label?.classes?.length;
  if ("file" in model) {
    const opened = openModelFile(resolve(cwd, model.file));
    const normal = normaliseForTraining(opened.model, { operators });
    const { external } = opened;
    const close = (): void => opened.close();
    if (model.newHead !== true) return { model: normal, external, close };
    if (classes === undefined) {
      throw new UserError("usage", `--new-head: ${data.name} has no classes`, {
        hint: "A new head is for data with class labels.",
      });
    }
    return { model: withNewHead(normal, { operators, classes, seed }), external, close };
  }
  const { net, ...options } = model;
  const [channels, size] = imageOf(data);
  const built = netNamed(net).build({
    operators,
    seed,
    channels,
    size,
    ...(classes === undefined ? {} : { classes }),
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  });
  return { model: built, close() {} };
}

/** Channels and side of the images of a dataset. */
function imageOf(data: Dataset): readonly [channels: number, size: number] {
  const image = data.columns.find(({ shape }) => shape?.length === 3);
  const [channels, height, width] = image?.shape ?? [];
  if (channels !== undefined && height !== undefined && height === width) return [channels, height];
  const found = data.columns.map(({ name, shape }) => `${name} [${shape ?? "of any size"}]`);
  throw new UserError("invalid-input", `the named networks take square images of one size`, {
    hint: `${data.name} has ${found.join(", ")}. Train a model of your own on it with --model.`,
  });
}

/** Height and width that the model wants of images that are different; null where they fit. */
function imageSide(model: Model, data: Dataset): readonly [number, number] | null {
  const [input] = model.graph?.inputs ?? [];
  const image = data.columns.find(({ shape }) => shape === null || shape.length === 3);
  const shape = input?.type?.kind === "tensor" ? (input.type.shape ?? []) : [];
  const [height, width] = shape.slice(2).map(({ value }) => Number(value ?? 0));
  if (image === undefined || shape.length !== 4 || !height || !width) return null;
  const [, rows, columns] = image.shape ?? [];
  return rows === height && columns === width ? null : [height, width];
}

/** The rows to judge a model by: the part that is named, else the test part, else the only one. */
export async function openJudged(
  spec: string,
  model: Model,
  context: CliContext,
): Promise<Dataset> {
  const open = async (images: OpenOptions["images"]): Promise<Dataset> => {
    const opened = await openDataset(placeOf(spec, context.cwd), context.host, {
      importModule: importModule(context),
      ...(images === undefined ? {} : { images }),
    });
    return opened.splits.get("test") ?? onlySplit(opened);
  };
  const dataset = await open(undefined);
  const side = imageSide(model, dataset);
  if (side === null) return dataset;
  tellResized(context, dataset, side);
  return fitted(await open({ height: side[0], width: side[1] }), model);
}

/** The metric that suits the truth of a dataset. */
export const metricOf = (dataset: Dataset): string => metricFor(lossFor(labelOf(dataset)).kind);

/** The bytes of a file. Throws UserError when it cannot be read. */
export function readWhole(path: string): Uint8Array {
  const source = openFileSource(path);
  try {
    return source.read(0, source.size);
  } finally {
    source.close();
  }
}
