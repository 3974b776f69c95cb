// Static quantisation: ranges of activations from calibration, weights and activations in 8 bits
// (Jacob et al. 2018, arXiv 1712.05877; Krishnamoorthi 2018, arXiv 1806.08342), written as ONNX
// Runtime's CPU kernels want them: unsigned activations, signed weights.

import { UserError } from "../../../core/index.ts";
import {
  canonicalDomain,
  elementsOf,
  type GraphIndex,
  indexGraph,
  intOf,
  type Model,
  type Node,
} from "../../../onnx/index.ts";
import type { Change, Pass, PassContext, PassResult, Refusal } from "../pass.ts";
import { labelOf } from "../simplify/label.ts";
import { roundAdaptively } from "./adaptive-rounding.ts";
import { biasErrors } from "./bias-correction.ts";
import { type CalibrationOptions, calibrate } from "./calibrate/calibrate.ts";
import { emitQdq, gridInto, type PlannedWeight, type QuantisationPlan } from "./emit-qdq.ts";
import {
  type Grid,
  gridOf,
  INT8_REDUCED,
  INT8_SYMMETRIC,
  type Levels,
  type Range,
  UINT8,
} from "./grid.ts";
import {
  type Member,
  type PlacementOptions,
  placeMembers,
  productsTakenApart,
} from "./placement.ts";
import { type QuantisedWeight, quantiseWeight, type Weight } from "./quantised-weight.ts";
import { islandsOf, tieRanges } from "./ties.ts";

export interface StaticOptions {
  readonly calibration?: CalibrationOptions;
  /** Whether each output channel of a weight has a grid of its own. Default: true. */
  readonly perChannel?: boolean;
  /**
   * Whether weights use 7 bits, for processors without VNNI, whose sums of two products saturate at 16
   * bits. Default: false.
   */
  readonly reduceRange?: boolean;
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
  /** Keys of candidates that hang together in 8 bits, when some nodes are left in floats. */
  islands(keepFloat: readonly string[]): readonly (readonly string[])[];
}

export interface Candidate {
  /** The node's name, or its first output where it has none. */
  readonly name: string;
  /** First output, by which `keepFloat` tells nodes apart that share a name. */
  readonly key: string;
  readonly operator: string;
  readonly weights: number;
}

/** Calibrates once. Throws UserError for models that cannot be quantised, and without inputs. */
export async function prepareStatic(
  model: Model,
  context: PassContext,
  options: StaticOptions = {},
): Promise<StaticQuantiser> {
  const refusal = unfit(model);
  if (refusal !== null) {
    throw new UserError(
      "unsupported",
      `${refusal.subject} cannot be quantised: ${refusal.reason}`,
      {
        hint: "Simplify the original model first.",
      },
    );
  }
  const { activationProducts = false, biasCorrection = true } = options;
  const placement = { activationProducts, closedProducts: productsTakenApart(model) };
  const members = placeMembers(model, placement);
  const observed = await calibrate(model, valuesOf(members), context, options.calibration);
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

/** Activations that members read and give. A gate's result needs no looking at: it is 0 to 1. */
function valuesOf(members: ReadonlyMap<string, Member>): readonly string[] {
  const values = new Set<string>();
  for (const { inputs, key, result } of members.values()) {
    for (const value of [...inputs, key, result]) values.add(value);
  }
  return [...values];
}

type Weights = ReadonlyMap<string, PlannedWeight>;

interface Calibrated {
  readonly observed: ReadonlyMap<string, Range>;
  readonly weights: Weights;
}

/** Places members and gives every value its grid. */
function planOf(
  model: Model,
  options: PlacementOptions,
  { observed, weights }: Calibrated,
): QuantisationPlan {
  const placed = placeMembers(model, options);
  const members = new Map([...placed].filter(([, member]) => hasRanges(member, observed)));
  const gates = new Map(
    [...members.values()].flatMap(({ kind, key }) =>
      kind === "gate" ? [[key, GATE] as const] : [],
    ),
  );
  const grids = new Map<string, Grid>();
  for (const [name, range] of tieRanges(members.values(), new Map([...observed, ...gates]))) {
    grids.set(name, gridOf(range, UINT8));
  }
  const unfit = [...members.values()]
    .filter(({ tail }) => tail?.summand != null)
    .filter((member) => {
      const grid = grids.get(member.result);
      const zero = grid === undefined ? 0 : gridInto(member, grid).zeroPoint;
      return zero < UINT8.least || zero > UINT8.most;
    });
  if (unfit.length === 0) return { members, grids, weights };
  const keepSummand = new Set([...(options.keepSummand ?? []), ...unfit.map(({ key }) => key)]);
  return planOf(model, { ...options, keepSummand }, { observed, weights });
}

/** What a HardSigmoid gives. */
const GATE: Range = { min: 0, max: 1 };

/** Values that had no elements on any input have no range, and their nodes stay as they are. */
const hasRanges = ({ inputs, result }: Member, observed: ReadonlyMap<string, Range>): boolean =>
  [...inputs, result].every((value) => observed.has(value));

const levelsFor = ({ reduceRange = false }: StaticOptions): Levels =>
  reduceRange ? INT8_REDUCED : INT8_SYMMETRIC;

/** Axis of the output channels in the weight of a node. */
function channelAxis(node: Node, rank: number): number {
  if (node.opType === "Conv") return 0;
  return node.opType === "Gemm" && intOf(node, "transB", 0) !== 0 ? 0 : rank - 1;
}

function planWeights(
  model: Model,
  members: ReadonlyMap<string, Member>,
  observed: ReadonlyMap<string, Range>,
  options: StaticOptions,
): Weights {
  const index = indexGraph(model.graph ?? EMPTY);
  const levels = levelsFor(options);
  const shared = new Map<string, QuantisedWeight>();
  const planned = new Map<string, PlannedWeight>();
  for (const { kind, key, node, inputs } of members.values()) {
    if (kind !== "weighted") continue;
    const [, name = "", biasName = ""] = node.inputs;
    const weight = weightIn(index, name);
    const axis = (options.perChannel ?? true) ? channelAxis(node, weight.dims.length) : null;
    const bias = biasName === "" ? null : weightIn(index, biasName).values;
    const step = gridOf(observed.get(inputs[0] ?? "") ?? { min: 0, max: 0 }, UINT8).scale;
    const leastScales = leastScalesFor(bias, step, axis);
    const label = `${name} ${axis} ${leastScales?.join() ?? ""}`;
    const quantised = shared.get(label) ?? quantiseWeight(weight, { levels, axis, leastScales });
    shared.set(label, quantised);
    planned.set(key, { weight: quantised, bias });
  }
  return planned;
}

const EMPTY = {
  ...{ nodes: [], initializers: [], sparseInitializers: [], inputs: [], outputs: [] },
  ...{ valueInfos: [], metadata: [] },
};

function weightIn(index: GraphIndex, name: string): Weight {
  const tensor = index.constant(name);
  const values = tensor === null ? null : elementsOf(tensor);
  if (tensor === null || !(values instanceof Float32Array)) {
    throw new TypeError(`"${name}" is no stored float`);
  }
  return { dims: tensor.dims.map(Number), values };
}

/** Largest 32-bit integer, which a bias in steps of input times weight must not exceed. */
const MOST_BIAS = 2 ** 31 - 1;

/** Steps of weights below which a bias would not fit into 32 bits; null where all fit. */
function leastScalesFor(
  bias: Float32Array | null,
  step: number,
  axis: number | null,
): Float32Array | undefined {
  if (bias === null) return undefined;
  const least = bias.map((value) => Math.abs(value) / (step * MOST_BIAS));
  return axis === null ? Float32Array.of(Math.max(...least)) : least;
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
