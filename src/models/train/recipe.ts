// A training run as JSON: what to train, on what, how. The same file and the same data give the same
// model.

import { z } from "zod";
import { UserError } from "../../core/index.ts";
import { type Augment, augmentImages } from "./augment.ts";
import {
  bayesianRanking,
  binaryCrossEntropy,
  crossEntropy,
  huber,
  klDivergence,
  type Loss,
  meanAbsoluteError,
  meanSquaredError,
  pinball,
} from "./losses/index.ts";
import { adagrad, adam, adamW, lion, type Optimizer, rmsProp, sgd } from "./optimizers/index.ts";
import {
  constantRate,
  cosineRate,
  exponentialRate,
  oneCycleRate,
  type Schedule,
  stepRate,
  warmedUp,
} from "./schedule.ts";

const share = z.number().min(0).lt(1);
const positive = z.number().positive();
const count = z.number().int().positive();

const loss = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("cross-entropy"), smoothing: share.optional() }),
  z.strictObject({ kind: z.literal("binary-cross-entropy") }),
  z.strictObject({ kind: z.literal("mse") }),
  z.strictObject({ kind: z.literal("mae") }),
  z.strictObject({ kind: z.literal("huber"), delta: positive.optional() }),
  z.strictObject({ kind: z.literal("kl-divergence") }),
  z.strictObject({ kind: z.literal("bpr") }),
  z.strictObject({ kind: z.literal("pinball"), quantiles: z.array(z.number().gt(0).lt(1)).min(1) }),
]);

const weightDecay = z.number().min(0).optional();
const betas = z.tuple([share, share]).optional();
const epsilon = z.number().min(0).optional();

const optimizer = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("sgd"),
    momentum: share.optional(),
    nesterov: z.boolean().optional(),
    weightDecay,
  }),
  z.strictObject({ kind: z.literal("adam"), betas, epsilon, weightDecay }),
  z.strictObject({ kind: z.literal("adamw"), betas, epsilon, weightDecay }),
  z.strictObject({
    kind: z.literal("rmsprop"),
    alpha: share.optional(),
    epsilon,
    momentum: share.optional(),
    weightDecay,
  }),
  z.strictObject({
    kind: z.literal("adagrad"),
    epsilon,
    rateDecay: z.number().min(0).optional(),
    weightDecay,
  }),
  z.strictObject({ kind: z.literal("lion"), betas, weightDecay }),
]);

/** Share of all updates in which the rate rises first. */
const warmUp = share.optional();

const schedule = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant"), rate: positive, warmUp }),
  z.strictObject({ kind: z.literal("cosine"), rate: positive, floor: positive.optional(), warmUp }),
  z.strictObject({ kind: z.literal("one-cycle"), rate: positive, rise: share.optional() }),
  z.strictObject({
    kind: z.literal("step"),
    rate: positive,
    /** Changes in the whole run. */
    changes: count,
    factor: positive,
    warmUp,
  }),
  /** `end` is the rate at the end over that at the start. */
  z.strictObject({ kind: z.literal("exponential"), rate: positive, end: positive, warmUp }),
]);

const augment = z.strictObject({
  flip: z.boolean().optional(),
  flipVertical: z.boolean().optional(),
  turn: z.boolean().optional(),
  shift: z.number().int().min(0).optional(),
});

const fraction = z.number().gt(0).lt(1);

const select = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("random"), fraction }),
  z.strictObject({ kind: z.literal("coreset"), fraction }),
  /** `epochs` of a model that is trained first, to score the rows. */
  z.strictObject({ kind: z.literal("el2n"), fraction, epochs: count.optional() }),
  z.strictObject({ kind: z.literal("grand"), fraction, epochs: count.optional() }),
  z.strictObject({ kind: z.literal("forgetting"), fraction, epochs: count.optional() }),
  z.strictObject({ kind: z.literal("dedup"), threshold: z.number().gt(0).max(1).optional() }),
]);

/** Easy rows first, all of them after `duration` epochs. */
const curriculum = z.strictObject({
  duration: count,
  /** Share of the rows in the first epoch. */
  start: fraction.optional(),
  pacing: z.enum(["linear", "root"]).optional(),
  /** Of the model that is trained first, to score the rows. */
  epochs: count.optional(),
});

const model = z.union([
  z.strictObject({
    net: z.string(),
    alpha: positive.optional(),
    rho: positive.optional(),
    initialiser: z.string().optional(),
  }),
  z.strictObject({
    file: z.string(),
    /** Replaces the last layer by a new one for the classes of the data. */
    newHead: z.boolean().optional(),
  }),
]);

const recipeSchema = z.strictObject({
  schema: z.literal("godwit.recipe/1"),
  model,
  data: z.string(),
  /** Shares of the rows that are kept apart where the data has no such part of its own. */
  validation: share.default(0.1),
  test: share.default(0),
  epochs: count,
  batchSize: count,
  accumulate: count.default(1),
  seed: z.number().int().min(0),
  loss,
  metric: z.string(),
  optimizer,
  schedule,
  clipNorm: positive.optional(),
  /** Decay of a moving average of the parameters. */
  average: z.number().gt(0).lt(1).optional(),
  patience: count.optional(),
  augment: augment.optional(),
  /** Which of the training rows are trained on. Default: all. */
  select: select.optional(),
  curriculum: curriculum.optional(),
  /** Patterns of the parameters that are trained, and of those that are not. */
  only: z.array(z.string()).optional(),
  freeze: z.array(z.string()).optional(),
  /** Trains low-rank additions to matrices in their place, and merges them at the end. */
  lora: z
    .strictObject({
      rank: count,
      alpha: positive.optional(),
      targets: z.array(z.string()).optional(),
    })
    .optional(),
  /** Columns by inputs and targets. */
  columns: z.record(z.string(), z.string()).optional(),
  threads: count.optional(),
  /** Whether threads spin while they wait. */
  spin: z.boolean().optional(),
  /** Ways to write gradients that were found to be the fastest, by task: part of what makes a run the same. */
  ways: z.record(z.string(), z.string()).optional(),
});

export type Recipe = z.infer<typeof recipeSchema>;

/** A recipe from JSON. Throws UserError naming the first field that is wrong. */
export function parseRecipe(value: unknown, name = "the recipe"): Recipe {
  const result = recipeSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.join(".") ?? "";
  throw new UserError(
    "invalid-input",
    `${name} is not valid: ${where === "" ? "" : `${where}: `}${issue?.message}`,
    {
      hint: "godwit train writes a recipe beside each model; change one of those.",
      cause: result.error,
    },
  );
}

/** The loss of a recipe. */
export function lossOf(spec: Recipe["loss"]): Loss {
  switch (spec.kind) {
    case "cross-entropy":
      return crossEntropy(defined(spec));
    case "binary-cross-entropy":
      return binaryCrossEntropy;
    case "mse":
      return meanSquaredError;
    case "mae":
      return meanAbsoluteError;
    case "huber":
      return huber(defined(spec));
    case "kl-divergence":
      return klDivergence;
    case "bpr":
      return bayesianRanking;
    case "pinball":
      return pinball(spec);
    default:
      return spec satisfies never;
  }
}

/** Name of the metric that goes with a loss, where none is named. */
export function metricFor(loss: string): string {
  switch (loss) {
    case "cross-entropy":
    case "kl-divergence":
      return "accuracy";
    case "binary-cross-entropy":
      return "binary-accuracy";
    default:
      return loss === "mse" ? "mse" : "mae";
  }
}

/** The optimiser of a recipe. */
export function optimizerOf(spec: Recipe["optimizer"]): Optimizer {
  switch (spec.kind) {
    case "sgd":
      return sgd(defined(spec));
    case "adam":
      return adam(defined(spec));
    case "adamw":
      return adamW(defined(spec));
    case "rmsprop":
      return rmsProp(defined(spec));
    case "adagrad":
      return adagrad(defined(spec));
    case "lion":
      return lion(defined(spec));
    default:
      return spec satisfies never;
  }
}

/** The schedule of a recipe, for a run of so many updates. */
export function scheduleOf(spec: Recipe["schedule"], updates: number): Schedule {
  const rising = spec.kind === "one-cycle" ? 0 : Math.floor((spec.warmUp ?? 0) * updates);
  const main = mainSchedule(spec, Math.max(1, updates - rising));
  return rising === 0 ? main : warmedUp(main, rising);
}

function mainSchedule(spec: Recipe["schedule"], steps: number): Schedule {
  const { rate } = spec;
  switch (spec.kind) {
    case "constant":
      return constantRate(rate);
    case "cosine":
      return cosineRate({ rate, steps, floor: spec.floor ?? 0 });
    case "one-cycle":
      return oneCycleRate({ peak: rate, steps, rise: spec.rise ?? 0.3 });
    case "step":
      return stepRate({ rate, every: steps / (spec.changes + 1), factor: spec.factor });
    case "exponential":
      return exponentialRate({ rate, factor: spec.end ** (1 / steps) });
    default:
      return spec satisfies never;
  }
}

/** The augmentation of a recipe; null where there is none. */
export const augmentOf = (spec: Recipe["augment"]): Augment | null =>
  spec === undefined ? null : augmentImages(defined(spec));

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the fields that are undefined, which exact types do not allow. */
function defined<T extends object>(of: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(of).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}
