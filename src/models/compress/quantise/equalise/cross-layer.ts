// Cross-layer equalisation (Nagel et al. 2019, arXiv 1906.04721, section 4.1): where two linear layers
// follow each other with at most a Relu between, channels can be made smaller in one and larger in the
// other, until one grid for all channels suits both.

import { type Graph, type Model, type Node, tensorOf } from "../../../../onnx/index.ts";
import type { Change, Pass } from "../../pass.ts";
import { withoutDeadCode } from "../../simplify/dead-code.ts";
import { labelOf } from "../../simplify/label.ts";
import { type Scene, sceneIn } from "../../simplify/rule.ts";
import { LINEAR_OPERATORS, type Linear, linearOf } from "../../simplify/rules/linear.ts";

const NAME = "equalise-layers";

/** Rounds over all pairs; the change becomes small long before. */
const MOST_ROUNDS = 100;
const TOLERANCE = 1e-4;

/** Equalises all pairs of layers until nothing changes. The float model computes what it did. */
export const equaliseLayers: Pass = {
  name: NAME,
  fidelity: "reordered",
  async apply(model) {
    const { graph } = model;
    if (graph === undefined) return { model, changes: [], refused: [] };
    const scene = sceneIn(model, graph);
    const layers = new Map<Node, Scalable>();
    const pairs = graph.nodes.flatMap((node) => {
      const second = followerOf(node, scene);
      const pair =
        second === null ? null : [scalable(node, layers, scene), scalable(second, layers, scene)];
      const [a, b] = pair ?? [];
      return a && b && a.linear.outChannels === b.linear.inChannels ? [[a, b] as const] : [];
    });
    if (pairs.length === 0) return { model, changes: [], refused: [] };
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const change = Math.max(...pairs.map(([first, second]) => equalise(first, second)));
      if (change < TOLERANCE) break;
    }
    const changes = pairs.map(
      ([first, second]): Change => ({
        pass: NAME,
        subject: labelOf(first.node),
        what: `channels balanced with "${labelOf(second.node)}"`,
      }),
    );
    return { model: withWeights(model, graph, layers, scene), changes, refused: [] };
  },
};

/** A layer whose weights are on their way. */
interface Scalable {
  readonly node: Node;
  readonly linear: Linear;
  readonly weight: Float64Array;
  readonly bias: Float64Array | null;
}

function scalable(node: Node, known: Map<Node, Scalable>, scene: Scene): Scalable | null {
  const before = known.get(node);
  if (before !== undefined) return before;
  const linear = linearOf(node, scene);
  const [, weight = ""] = node.inputs;
  if (linear === null || scene.editor.readers(weight).length !== 1) return null;
  const bias = linear.bias === null ? null : Float64Array.from(linear.bias);
  const made = { node, linear, weight: Float64Array.from(linear.weight), bias };
  known.set(node, made);
  return made;
}

/** The linear node that alone reads another's result, with at most a Relu or LeakyRelu between. */
function followerOf(node: Node, { editor }: Scene): Node | null {
  if (!LINEAR_OPERATORS.includes(node.opType)) return null;
  let value = node.outputs[0] ?? "";
  let reader = editor.soleReader(value);
  // f(s x) = s f(x) for s > 0.
  if (reader !== null && /^(Relu|LeakyRelu)$/.test(reader.opType)) {
    value = reader.outputs[0] ?? "";
    reader = editor.soleReader(value);
  }
  const isLinear = reader !== null && LINEAR_OPERATORS.includes(reader.opType);
  return isLinear && reader?.inputs[0] === value ? reader : null;
}

/** Balances one pair in place; gives the largest change of a scale from 1. */
function equalise(first: Scalable, second: Scalable): number {
  const channels = first.linear.outChannels;
  const [before, after] = [new Float64Array(channels), new Float64Array(channels)];
  first.weight.forEach((value, at) => {
    const channel = first.linear.outChannel(at);
    before[channel] = Math.max(before[channel] ?? 0, Math.abs(value));
  });
  second.weight.forEach((value, at) => {
    const channel = second.linear.inChannel(at);
    after[channel] = Math.max(after[channel] ?? 0, Math.abs(value));
  });
  const scales = before.map((r1, channel) => {
    const r2 = after[channel] ?? 0;
    return r1 > 0 && r2 > 0 ? Math.sqrt(r1 * r2) / r2 : 1;
  });
  const scale = (channel: number): number => scales[channel] ?? 1;
  for (let at = 0; at < first.weight.length; at++) {
    first.weight[at] = (first.weight[at] ?? 0) / scale(first.linear.outChannel(at));
  }
  for (let at = 0; at < second.weight.length; at++) {
    second.weight[at] = (second.weight[at] ?? 0) * scale(second.linear.inChannel(at));
  }
  first.bias?.forEach((value, channel) => {
    if (first.bias !== null) first.bias[channel] = value / scale(channel);
  });
  return scales.reduce((most, of) => Math.max(most, Math.abs(of - 1)), 0);
}

function withWeights(
  model: Model,
  graph: Graph,
  layers: ReadonlyMap<Node, Scalable>,
  { editor }: Scene,
): Model {
  for (const { node, linear, weight, bias } of layers.values()) {
    const [input = "", weightName = "", biasName = ""] = node.inputs;
    const values = tensorOf("float32", { dims: linear.dims, values: Float32Array.from(weight) });
    const inputs = [input, editor.store(weightName, values)];
    if (bias !== null) {
      const dims = [bias.length];
      const stored = tensorOf("float32", { dims, values: Float32Array.from(bias) });
      inputs.push(editor.store(biasName, stored));
    }
    editor.replace(node, { ...node, inputs });
  }
  return { ...model, graph: withoutDeadCode({ ...graph, ...editor.finish() }) };
}
