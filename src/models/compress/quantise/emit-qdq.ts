// Writes a quantised model: QuantizeLinear and DequantizeLinear around the values that are in 8 bits, and
// stored integers behind a DequantizeLinear for weights. ONNX Runtime fuses them with the node between.

import {
  attribute,
  floatOf,
  freshNames,
  type Graph,
  type Model,
  type Node,
  namesIn,
  renameNode,
  type Tensor,
  tensorOf,
} from "../../../onnx/index.ts";
import { nodeOf } from "../node-of.ts";
import { withoutDeadCode } from "../simplify/dead-code.ts";
import { type Grid, roundHalfToEven } from "./grid.ts";
import type { Member } from "./placement.ts";
import type { QuantisedWeight } from "./quantised-weight.ts";

/** Everything that is needed to write the model. */
export interface QuantisationPlan {
  readonly members: ReadonlyMap<string, Member>;
  /** Grid of each activation that a member reads or gives. */
  readonly grids: ReadonlyMap<string, Grid>;
  /** Weight and bias of each weighted member, by its key. */
  readonly weights: ReadonlyMap<string, PlannedWeight>;
}

export interface PlannedWeight {
  readonly weight: QuantisedWeight;
  /** One element a channel, float; null for a node without one. */
  readonly bias: Float32Array | null;
}

/**
 * How weights are written: as integers, or as floats that are put on their grid in every run, which can
 * be trained through (biases then stay as they are).
 */
export type WeightForm = "integers" | "trainable";

/** The model with the plan's members in 8 bits. */
export function emitQdq(
  model: Model,
  plan: QuantisationPlan,
  weightForm: WeightForm = "integers",
): Model {
  const { graph } = model;
  if (graph === undefined) return model;
  const writer = writerFor(graph, plan, weightForm);
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    const after = node.outputs.flatMap((output) => resultPair(output, writer));
    if (writer.summands.has(node)) return after;
    const member = plan.members.get(node.outputs[0] ?? "");
    const before: Node[] = [];
    const inputs =
      member === undefined ? null : memberInputs(node, member, writer, (made) => before.push(made));
    const renamed = withRenamedReads(inputs === null ? node : { ...node, inputs }, writer);
    return [...before, member?.kind === "gate" ? asIdentity(renamed) : renamed, ...after];
  });
  const initializers = [...graph.initializers, ...writer.stored];
  return { ...model, graph: withoutDeadCode({ ...graph, nodes, initializers }) };
}

interface Writer {
  readonly plan: QuantisationPlan;
  readonly weightForm: WeightForm;
  readonly fresh: (wanted: string) => string;
  readonly stored: Tensor[];
  /** Values in 8 bits, and the name under which everything reads what is left of them. */
  readonly results: ReadonlyMap<string, string>;
  /** The members that make them. */
  readonly makers: ReadonlyMap<string, Member>;
  /** Additions that zero points take over. */
  readonly summands: ReadonlySet<Node>;
  /** Graph outputs in 8 bits, and the other name that their floats get. */
  readonly outputs: ReadonlyMap<string, string>;
  /** Values that others make in floats, and the name under which members read what is left of them. */
  readonly inputs: Map<string, string>;
  /** Names of the floats of weights, which several nodes may share. */
  readonly weights: Map<QuantisedWeight, string>;
}

function writerFor(graph: Graph, plan: QuantisationPlan, weightForm: WeightForm): Writer {
  const fresh = freshNames(namesIn(graph));
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const results = new Map<string, string>();
  const makers = new Map<string, Member>();
  const summands = new Set<Node>();
  for (const member of plan.members.values()) {
    const { result, quantisesResult, tail } = member;
    if (!quantisesResult) continue;
    results.set(result, outputs.has(result) ? result : fresh(`${result}/dequantised`));
    makers.set(result, member);
    if (tail !== null && tail.summand !== null) summands.add(tail.node);
  }
  const quantised = [...outputs].filter((name) => results.has(name));
  return {
    ...{ plan, weightForm, fresh, results, makers, summands },
    ...{ stored: [], inputs: new Map(), weights: new Map() },
    outputs: new Map(quantised.map((name) => [name, fresh(`${name}/float`)])),
  };
}

/** Gives the node's reads, own and in sub-graphs, and its outputs the names that the writer chose. */
function withRenamedReads(node: Node, { results, outputs }: Writer): Node {
  const own = new Set(node.outputs);
  const reads = new Map([...results].filter(([name]) => !own.has(name)));
  const renamed = renameNode(node, reads);
  const made = node.outputs.map((output) => outputs.get(output) ?? output);
  return { ...renamed, outputs: made };
}

/** What a member reads: activations in 8 bits, weights as stored integers. */
function memberInputs(
  node: Node,
  member: Member,
  writer: Writer,
  emit: (node: Node) => void,
): readonly string[] {
  const { plan, results, inputs } = writer;
  const reads = node.inputs.map((input) => {
    if (!member.inputs.includes(input) || results.has(input)) return input;
    const known = inputs.get(input);
    if (known !== undefined) return known;
    const output = writer.fresh(`${input}/dequantised`);
    inputs.set(input, output);
    const grid = gridOf(input, writer);
    pair(input, output, { into: grid, back: grid }, writer).forEach(emit);
    return output;
  });
  const planned = plan.weights.get(member.key);
  if (planned === undefined) return reads;
  const [activation = "", weight = "", bias = ""] = reads;
  const floats = [activation, weightFloats(planned.weight, weight, writer, emit)];
  if (writer.weightForm === "trainable") return bias === "" ? floats : [...floats, bias];
  if (planned.bias === null) return floats;
  const step = gridOf(member.inputs[0] ?? "", writer).scale;
  return [
    ...floats,
    biasFloats(planned, { step, name: bias || `${member.key}/bias` }, writer, emit),
  ];
}

function gridOf(value: string, { plan }: Writer): Grid {
  const grid = plan.grids.get(value);
  if (grid === undefined) throw new TypeError(`the plan has no grid for "${value}"`);
  return grid;
}

/** Into 8 bits and back, behind a member. */
function resultPair(output: string, writer: Writer): readonly Node[] {
  const name = writer.results.get(output);
  const member = writer.makers.get(output);
  if (name === undefined || member === undefined) return [];
  const summand = member.tail?.summand ?? null;
  // A summand is not added: what the member itself makes is put into 8 bits.
  const from = summand === null ? (writer.outputs.get(output) ?? output) : member.key;
  const back = gridOf(output, writer);
  return pair(from, name, { into: gridInto(member, back), back }, writer);
}

/** The grid on which a member's own floats become the levels of its result. */
export function gridInto({ kind, node, tail }: Member, back: Grid): Grid {
  if (kind === "gate") {
    const most = back.levels.most;
    const [alpha, beta] = [floatOf(node, "alpha", 0.2), floatOf(node, "beta", 0.5)];
    return { ...back, scale: 1 / (most * alpha), zeroPoint: Math.round(most * beta) };
  }
  const summand = tail?.summand ?? 0;
  return { ...back, zeroPoint: back.zeroPoint + roundHalfToEven(summand / back.scale) };
}

/** What ONNX Runtime computes on levels by a table, and which changes nothing on its own. */
function asIdentity(node: Node): Node {
  return { ...node, opType: "LeakyRelu", attributes: [attribute.float("alpha", 1)] };
}

/** The grids before and behind the levels; they differ where the way into 8 bits does some work. */
interface Grids {
  readonly into: Grid;
  readonly back: Grid;
}

function pair(from: string, to: string, { into, back }: Grids, writer: Writer): readonly Node[] {
  const first = storeGrid(from, into, writer);
  const second = into === back ? first : storeGrid(to, back, writer);
  const levels = writer.fresh(`${from}/quantised`);
  return [
    nodeOf("QuantizeLinear", [from, ...first], { outputs: [levels] }),
    nodeOf("DequantizeLinear", [levels, ...second], { outputs: [to], name: `${levels}/back` }),
  ];
}

/** Names of step and zero point. */
function storeGrid(label: string, { levels, scale, zeroPoint }: Grid, writer: Writer) {
  const step = tensorOf("float32", { dims: [], values: [scale] });
  const zero = tensorOf(levels.dataType, { dims: [], values: [zeroPoint] });
  return [store(`${label}/scale`, step, writer), store(`${label}/zero`, zero, writer)] as const;
}

function store(wanted: string, tensor: Tensor, { fresh, stored }: Writer): string {
  const name = fresh(wanted);
  stored.push({ ...tensor, name });
  return name;
}

/** The name of a weight's floats as the graph computes them from stored integers. */
function weightFloats(
  weight: QuantisedWeight,
  name: string,
  writer: Writer,
  emit: (node: Node) => void,
): string {
  const known = writer.weights.get(weight);
  if (known !== undefined) return known;
  const { dims, values, scales, axis } = weight;
  const shape = axis === null ? [] : [scales.length];
  const zeros = new Int8Array(scales.length);
  const attributes = axis === null ? [] : [attribute.int("axis", axis)];
  const grid = [
    store(`${name}/scale`, tensorOf("float32", { dims: shape, values: scales }), writer),
    store(`${name}/zero`, tensorOf("int8", { dims: shape, values: zeros }), writer),
  ];
  const output = writer.fresh(`${name}/dequantised`);
  let levels: string;
  if (writer.weightForm === "trainable") {
    levels = writer.fresh(`${name}/quantised`);
    emit(nodeOf("QuantizeLinear", [name, ...grid], { outputs: [levels], attributes }));
  } else {
    levels = store(`${name}/int8`, tensorOf("int8", { dims, values }), writer);
  }
  emit(nodeOf("DequantizeLinear", [levels, ...grid], { outputs: [output], attributes }));
  writer.weights.set(weight, output);
  return output;
}

/** A bias as 32-bit integers, in steps of the input's times the weight's. */
function biasFloats(
  { weight: { scales }, bias }: PlannedWeight,
  { step, name }: { readonly step: number; readonly name: string },
  writer: Writer,
  emit: (node: Node) => void,
): string {
  const { integers, steps } = integerBias(bias ?? new Float32Array(), scales, step);
  const inputs = [store(`${name}/int32`, integers, writer), store(`${name}/scale`, steps, writer)];
  const output = writer.fresh(`${name}/dequantised`);
  const attributes = steps.dims.length === 0 ? [] : [attribute.int("axis", 0)];
  emit(nodeOf("DequantizeLinear", inputs, { outputs: [output], attributes }));
  return output;
}

/** A bias in steps of an activation's step times those of the weight: one, or one a channel. */
export function integerBias(
  bias: Float32Array,
  scales: Float32Array,
  step: number,
): { readonly integers: Tensor; readonly steps: Tensor } {
  const one = scales.length === 1 && bias.length !== 1;
  const steps = scales.map((scale) => scale * step);
  const values = Int32Array.from(bias, (value, channel) =>
    roundHalfToEven(value / (steps[steps.length === 1 ? 0 : channel] ?? 1)),
  );
  return {
    integers: tensorOf("int32", { dims: [values.length], values }),
    steps: tensorOf("float32", { dims: one ? [] : [steps.length], values: steps }),
  };
}
