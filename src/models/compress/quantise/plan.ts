// From ranges to a plan: which nodes compute in 8 bits, the grid of every activation, the levels of every
// weight.

import {
  elementsOf,
  type GraphIndex,
  indexGraph,
  intOf,
  type Model,
  type Node,
} from "../../../onnx/index.ts";
import { gridInto, type PlannedWeight, type QuantisationPlan } from "./emit-qdq.ts";
import {
  type Grid,
  gridOf,
  INT8_REDUCED,
  INT8_SYMMETRIC,
  type Levels,
  type Range,
  UINT8,
} from "./grid.ts";
import { type Member, type PlacementOptions, placeMembers } from "./placement.ts";
import { type QuantisedWeight, quantiseWeight, type Weight } from "./quantised-weight.ts";
import { tieRanges } from "./ties.ts";

/** How weights are put on grids. */
export interface WeightChoice {
  /** Whether each output channel of a weight has a grid of its own. Default: true. */
  readonly perChannel?: boolean;
  /**
   * Whether weights use 7 bits, for processors without VNNI, whose sums of two products saturate at 16
   * bits. Default: false.
   */
  readonly reduceRange?: boolean;
}

/** Activations that members read and give. A gate's result needs no looking at: it is 0 to 1. */
export function valuesOf(members: ReadonlyMap<string, Member>): readonly string[] {
  const values = new Set<string>();
  for (const { inputs, key, result } of members.values()) {
    for (const value of [...inputs, key, result]) values.add(value);
  }
  return [...values];
}

export type Weights = ReadonlyMap<string, PlannedWeight>;

export interface Calibrated {
  readonly observed: ReadonlyMap<string, Range>;
  readonly weights: Weights;
}

/** Places members and gives every value its grid. */
export function planOf(
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

export const levelsFor = ({ reduceRange = false }: WeightChoice): Levels =>
  reduceRange ? INT8_REDUCED : INT8_SYMMETRIC;

/** Axis of the output channels in the weight of a node. */
function channelAxis(node: Node, rank: number): number {
  if (node.opType === "Conv") return 0;
  return node.opType === "Gemm" && intOf(node, "transB", 0) !== 0 ? 0 : rank - 1;
}

export function planWeights(
  model: Model,
  members: ReadonlyMap<string, Member>,
  observed: ReadonlyMap<string, Range>,
  options: WeightChoice,
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
