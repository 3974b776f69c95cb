// A model as it is trained: BatchNormalization by the statistics of the batch, with the running ones
// following; Dropout that drops. The model that is deployed keeps its inference form.

import { UserError } from "../../core/index.ts";
import {
  attribute,
  extendModel,
  floatOf,
  freshNames,
  type Graph,
  inferShapes,
  int64s,
  type Model,
  type Node,
  namesIn,
  type OperatorTable,
  type Tensor,
  tensorOf,
  withAttributes,
} from "../../onnx/index.ts";
import { graphOf } from "./graph-surgery.ts";
import { range, sizeOf } from "./vjp/writer.ts";

export interface TrainingModeOptions {
  readonly operators: OperatorTable;
  /** Start of the random sequence of Dropout: the same seed, the same masks in each new session. */
  readonly seed: number;
  /**
   * What is trained. A BatchNormalization whose scale is not among it keeps its stored statistics, as
   * frozen layers should. Default: all.
   */
  readonly parameters?: ReadonlySet<string>;
}

export interface TrainingMode {
  readonly model: Model;
  /** By initializer, the value of the graph that follows it after a step: running means and variances. */
  readonly statistics: ReadonlyMap<string, string>;
}

/**
 * The model in training mode. The sizes of its inputs must be fixed, the batch included. Throws
 * UserError where a batch has but one value a channel, of which there is no variance.
 */
export function trainingMode(model: Model, options: TrainingModeOptions): TrainingMode {
  const graph = graphOf(model);
  const rewrite = startRewrite(model);
  const batches: BatchStatistics[] = [];
  const nodes = graph.nodes.flatMap((node, at): readonly Node[] => {
    if ((node.domain ?? "") !== "") return [node];
    if (node.opType === "Dropout") return [dropping(node, options.seed + at, rewrite)];
    const trained = options.parameters?.has(node.inputs[1] ?? "") ?? true;
    if (node.opType !== "BatchNormalization" || !trained) return [node];
    const batch = batchNormalised(node, rewrite);
    batches.push(batch);
    return batch.nodes;
  });
  const initializers = [...graph.initializers, ...rewrite.constants];
  const changed: Model = { ...model, graph: { ...graph, nodes, initializers } };
  return following(changed, batches, options.operators);
}

/** What the rewrite of one model shares. */
interface Rewrite {
  readonly constants: Tensor[];
  fresh(wanted: string): string;
  /** Keeps a constant; gives its name. */
  constant(tensor: Tensor): string;
  dims(value: string): readonly number[];
}

function startRewrite(model: Model): Rewrite {
  const graph: Graph = graphOf(model);
  const { values } = inferShapes(model).graph;
  const fresh = freshNames(namesIn(graph));
  const constants: Tensor[] = [];
  return {
    constants,
    fresh,
    constant(tensor) {
      const name = fresh(`training/${tensor.name}`);
      constants.push({ ...tensor, name });
      return name;
    },
    dims(value) {
      const type = values.get(value);
      const shape = type?.kind === "tensor" ? type.shape : null;
      const known = shape?.filter((size) => typeof size === "number") ?? [];
      if (known.length === shape?.length) return known;
      throw new UserError("invalid-input", `the sizes of "${value}" are not fixed`, {
        hint: "Give the sizes of the model's inputs, the batch included.",
      });
    },
  };
}

/** Dropout that is switched on; ONNX Runtime starts its sequence of masks from the seed. */
function dropping(node: Node, seed: number, { constant }: Rewrite): Node {
  const on = constant(tensorOf("bool", { name: "on", dims: [], values: [1] }));
  const [data = "", ratio = ""] = node.inputs;
  return withAttributes({ ...node, inputs: [data, ratio, on] }, [attribute.int("seed", seed)]);
}

/** A BatchNormalization by its batch, and where its statistics go. */
interface BatchStatistics {
  readonly nodes: readonly Node[];
  /** Stored mean and variance, and the values that hold the batch's own. */
  readonly stored: readonly [mean: string, variance: string];
  readonly batch: readonly [mean: string, variance: string];
  readonly momentum: number;
  /** Values a channel. */
  readonly count: number;
}

/**
 * With momentum 0 the operator's running outputs are the batch's statistics.
 *
 * ONNX Runtime (1.30) writes them over the operator's mean and variance inputs, merges constants and
 * nodes that are equal, and so lets one layer's statistics overwrite another's; what is NaN once stays.
 * Each layer therefore gets operands of its own that are computed anew in every run.
 */
function batchNormalised(node: Node, rewrite: Rewrite): BatchStatistics {
  const [x = "", scale = "", bias = "", mean = "", variance = ""] = node.inputs;
  const dims = rewrite.dims(x);
  const axes = [0, ...range(2, dims.length)];
  const count = sizeOf(axes.map((axis) => dims[axis] ?? 1));
  if (count < 2) {
    const name = node.name || node.outputs[0];
    throw new UserError("invalid-input", `"${name}" has one value a channel and no variance`, {
      hint: "Train with a batch of 2 or more, or freeze this layer.",
    });
  }
  const [own, operands] = ownOperands(x, { axes, rewrite, key: node.outputs[0] ?? "" });
  const batch = ["mean", "variance"].map((of) => rewrite.fresh(`${node.outputs[0]}/batch_${of}`));
  const [batchMean = "", batchVariance = ""] = batch;
  const trained = withAttributes(
    { ...node, inputs: [x, scale, bias, ...operands], outputs: [node.outputs[0] ?? "", ...batch] },
    [attribute.int("training_mode", 1), attribute.float("momentum", 0)],
  );
  return {
    nodes: [...own, trained],
    stored: [mean, variance],
    batch: [batchMean, batchVariance],
    momentum: floatOf(node, "momentum", 0.9),
    count,
  };
}

/** Two values of one number a channel that nothing else reads and no other node equals. */
function ownOperands(
  x: string,
  of: { readonly axes: readonly number[]; readonly rewrite: Rewrite; readonly key: string },
): readonly [nodes: readonly Node[], operands: readonly string[]] {
  const { axes, rewrite, key } = of;
  const { constant, fresh, constants } = rewrite;
  const ints = (name: string, values: readonly number[]): string => constant(int64s(name, values));
  const name = (of: string): string => fresh(`${key}/${of}`);
  const [first, row] = [name("first"), name("row")];
  const zeros = ints(
    "starts",
    axes.map(() => 0),
  );
  const ones = ints(
    "ends",
    axes.map(() => 1),
  );
  const channels = ints("channels", [-1]);
  const cut = nodeOf("Slice", [x, zeros, ones, ints("axes", axes)], first);
  const flat = nodeOf("Reshape", [first, channels], row);
  // The number of constants so far differs from node to node, and so makes the products differ.
  const scaled = [1, 2].map((part) => {
    const values = [constants.length + part];
    const factor = constant(tensorOf("float32", { name: "own", dims: [], values }));
    return nodeOf("Mul", [row, factor], name(`own${part}`));
  });
  return [[cut, flat, ...scaled], scaled.map(({ outputs }) => outputs[0] ?? "")];
}

const nodeOf = (opType: string, inputs: readonly string[], output: string): Node => ({
  opType,
  name: output,
  inputs,
  outputs: [output],
  attributes: [],
  metadata: [],
});

/**
 * running = momentum running + (1 - momentum) batch. The variance that follows is the unbiased one, of
 * which the batch's own is (n - 1)/n: what inference needs, and what PyTorch keeps.
 */
function following(
  model: Model,
  batches: readonly BatchStatistics[],
  operators: OperatorTable,
): TrainingMode {
  const builder = extendModel(model, { operators });
  const g = builder.scope("running");
  const factor = (value: number): string => g.constant("float32", { dims: [], values: [value] });
  const statistics = new Map<string, string>();
  for (const { stored, batch, momentum, count } of batches) {
    const weights = [1 - momentum, ((1 - momentum) * count) / (count - 1)];
    stored.forEach((running, at) => {
      // A layer that runs twice follows both of its batches, one after the other.
      const before = statistics.get(running) ?? running;
      const kept = g.op("Mul", [before, factor(momentum)]);
      const added = g.op("Mul", [batch[at] ?? "", factor(weights[at] ?? 0)]);
      statistics.set(running, g.op("Add", [kept, added]));
    });
  }
  return { model: builder.finish(), statistics };
}
