// Static quantisation: ranges of activations from calibration, weights and activations in 8 bits
// (Jacob et al. 2018, arXiv 1712.05877; Krishnamoorthi 2018, arXiv 1806.08342), written as ONNX
// Runtime's CPU kernels want them: unsigned activations, signed weights.

import { UserError } from "../../../core/index.ts";
import { canonicalDomain, type Model } from "../../../onnx/index.ts";
import { trainableParameters } from "../../train/index.ts";
import type { Change, Pass, PassContext, PassResult, Refusal } from "../pass.ts";
import { labelOf } from "../simplify/label.ts";
import { roundAdaptively } from "./adaptive-rounding.ts";
import { biasErrors } from "./bias-correction.ts";
import { type CalibrationOptions, createObserver, type Observer } from "./calibrate/calibrate.ts";
import { emitQdq, type QuantisationPlan } from "./emit-qdq.ts";
import {
  type Member,
  type PlacementOptions,
  placeMembers,
  productsTakenApart,
} from "./placement.ts";
import {
  levelsFor,
  planOf,
  planWeights,
  valuesOf,
  type WeightChoice,
  type Weights,
} from "./plan.ts";
import { islandsOf } from "./ties.ts";

export interface StaticOptions extends WeightChoice {
  readonly calibration?: CalibrationOptions;
  /**
   * How weights come to their levels: the nearest, or by what that does to the layer's outputs on the
   * calibration inputs. Default: nearest.
   */
  readonly rounding?: "nearest" | "adaptive";
  /** Whether biases make up for the mean error of weights and inputs. Default: true. */
  readonly biasCorrection?: boolean;
  /** Whether products of two activations are computed in 8 bits, as attention has them. Default: false. */
  readonly activationProducts?: boolean;
  /** Nodes that stay in floats, by name or by first output. */
  readonly keepFloat?: readonly string[];
}

/** The static pass. Throws UserError without calibration inputs. */
export const quantiseStatic: Pass<StaticOptions | undefined> = {
  name: "quantise-static",
  fidelity: "approximate",
  async apply(model, context, options = {}) {
    const refusal = unfit(model);
    if (refusal !== null) return { model, changes: [], refused: [refusal] };
    const quantiser = await prepareStatic(model, context, options);
    return quantiser.build(options.keepFloat ?? []);
  },
};

/** A calibrated model, from which variants are built without looking at the inputs again. */
export interface StaticQuantiser {
  /** Nodes with weights that can compute in 8 bits, in the order of the graph. */
  readonly candidates: readonly Candidate[];
  /** The quantised model with some nodes left in floats, by name or by first output. */
  build(keepFloat: readonly string[]): PassResult;
  /**
   * The model for quantisation-aware training, with the names of what is to be trained: activations and
   * weights go through their grids in every run, and gradients straight through these. `storeIntegers`
   * makes the trained model one that runs in 8 bits.
   */
  trainable(keepFloat: readonly string[]): TrainableModel;
  /** Keys of candidates that hang together in 8 bits, when some nodes are left in floats. */
  islands(keepFloat: readonly string[]): readonly (readonly string[])[];
}

export interface TrainableModel {
  readonly model: Model;
  /** Weights and biases; grids stay as they were calibrated. */
  readonly parameters: readonly string[];
}

export interface Candidate {
  /** The node's name, or its first output where it has none. */
  readonly name: string;
  /** First output, by which `keepFloat` tells nodes apart that share a name. */
  readonly key: string;
  readonly operator: string;
  readonly weights: number;
}

export interface PrepareOptions extends StaticOptions {
  /** Of the model's activations. Default: a new one, which looks at the calibration inputs. */
  readonly observer?: Observer;
}

/** An observer of the activations that quantisers of these options need the ranges of. */
export const observerFor = (
  model: Model,
  context: PassContext,
  options: StaticOptions = {},
): Observer =>
  createObserver(model, valuesOf(placeMembers(model, placementFor(model, options))), context);

/** The one option that decides which values are looked at: quantisers that differ in others share observers. */
export const observes = ({ activationProducts = false }: StaticOptions): boolean =>
  activationProducts;

const placementFor = (model: Model, options: StaticOptions): PlacementOptions => ({
  activationProducts: observes(options),
  closedProducts: productsTakenApart(model),
});

/**
 * Calibrates once, or takes the ranges from an observer that has looked already. Throws UserError for models
 * that cannot be quantised, and without inputs.
 */
export async function prepareStatic(
  model: Model,
  context: PassContext,
  { observer, ...options }: PrepareOptions = {},
): Promise<StaticQuantiser> {
  const refusal = unfit(model);
  if (refusal !== null) {
    const message = `${refusal.subject} cannot be quantised: ${refusal.reason}`;
    throw new UserError("unsupported", message, { hint: "Simplify the original model first." });
  }
  const { biasCorrection = true } = options;
  const placement = placementFor(model, options);
  const members = placeMembers(model, placement);
  const looking = observer ?? observerFor(model, context, options);
  const observed = await looking.ranges(options.calibration, context.signal);
  const nearest = planWeights(model, members, observed, options);
  const weights =
    options.rounding === "adaptive"
      ? await roundAdaptively(model, nearest, levelsFor(options), context)
      : nearest;
  const planFor = (of: PlacementOptions, planned: Weights): QuantisationPlan =>
    planOf(model, of, { observed, weights: planned });
  const corrected = biasCorrection
    ? await withCorrectedBiases(model, planFor(placement, weights), context)
    : weights;
  return {
    candidates: [...members.values()].flatMap((member) => candidateOf(member, weights)),
    trainable(keepFloat) {
      const keep = { ...placement, keepFloat: new Set(keepFloat) };
      const trained = emitQdq(model, planFor(keep, corrected), "trainable");
      return { model: trained, parameters: parametersOf(model, trained) };
    },
    islands(keepFloat) {
      const plan = planFor({ ...placement, keepFloat: new Set(keepFloat) }, corrected);
      return islandsOf(plan.members.values());
    },
    build(keepFloat) {
      const keep = new Set(keepFloat);
      const plan = planFor({ ...placement, keepFloat: keep }, corrected);
      return resultOf(model, emitQdq(model, plan), plan.members, members);
    },
  };
}

/** What can be trained of the model before, and is still there: what was added are grids. */
function parametersOf(before: Model, after: Model): readonly string[] {
  const left = new Set(after.graph?.initializers.map(({ name }) => name));
  return trainableParameters(before).filter((name) => left.has(name));
}

/** Why the model as a whole cannot be quantised; null when it can. */
function unfit(model: Model): Refusal | null {
  const refuse = (reason: string): Refusal => ({
    pass: "quantise-static",
    subject: model.graph?.name || "the model",
    reason,
  });
  const { graph } = model;
  if (graph === undefined) return refuse("it has no graph");
  const quantised = graph.nodes.find(({ opType }) =>
    /^(QLinear|DequantizeLinear$|QuantizeLinear$|MatMulNBits$|MatMulInteger$|ConvInteger$)/.test(
      opType,
    ),
  );
  if (quantised !== undefined)
    return refuse(`it has a ${quantised.opType}: it is quantised already`);
  const opset = model.opsetImports.find(({ domain }) => canonicalDomain(domain) === "")?.version;
  return (opset ?? 0n) < 13n
    ? refuse(`it speaks opset ${opset}, and grids by channel came with 13`)
    : null;
}

/** Biases moved by the mean error that weights and inputs in 8 bits make in each channel. */
async function withCorrectedBiases(
  model: Model,
  plan: QuantisationPlan,
  context: PassContext,
): Promise<Weights> {
  const errors = await biasErrors(model, plan, context);
  return new Map(
    [...plan.weights].map(([key, planned]) => {
      const error = errors.get(key);
      if (error === undefined || planned.bias === null) return [key, planned];
      const bias = planned.bias.map((value, channel) => value + (error[channel] ?? 0));
      return [key, { ...planned, bias }];
    }),
  );
}

function candidateOf({ node, key, kind }: Member, weights: Weights): readonly Candidate[] {
  const planned = weights.get(key);
  if (kind !== "weighted" || planned === undefined) return [];
  const elements = planned.weight.values.length;
  return [{ name: labelOf(node), key, operator: node.opType, weights: elements }];
}

/** What became of the members, and which of all that could be stayed in floats. */
function resultOf(
  before: Model,
  model: Model,
  chosen: ReadonlyMap<string, Member>,
  all: ReadonlyMap<string, Member>,
): PassResult {
  const pass = "quantise-static";
  const changes = [...chosen.values()].map(
    ({ node }): Change => ({ pass, subject: labelOf(node), what: `${node.opType} in 8 bits` }),
  );
  const refused = [...all.values()]
    .filter(({ key }) => !chosen.has(key))
    .map(
      ({ node }): Refusal => ({
        pass,
        subject: labelOf(node),
        reason: `${node.opType} stays in floats: it was asked for, or no neighbour is in 8 bits`,
      }),
    );
  const others = (before.graph?.nodes ?? []).filter(
    (node) => WITH_WEIGHTS.test(node.opType) && !all.has(node.outputs[0] ?? ""),
  );
  const left = others.map(
    (node): Refusal => ({
      pass,
      subject: labelOf(node),
      reason: `${node.opType} here has no kernel for 8 bits, or its weight is not stored in floats`,
    }),
  );
  const reasons = [...refused, ...left];
  if (changes.length === 0 && reasons.length === 0) reasons.push(nothingToDo(before));
  return { model: changes.length === 0 ? before : model, changes, refused: reasons };
}

const nothingToDo = ({ graph }: Model): Refusal => ({
  pass: "quantise-static",
  subject: graph?.name || "the model",
  reason: "no node of its main graph has weights; those of sub-graphs are left alone",
});

const WITH_WEIGHTS = /^(Conv|ConvTranspose|Gemm|MatMul|LSTM|GRU|RNN)$/;
