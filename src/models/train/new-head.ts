// Fine-tuning for other classes: the last layer of a model made anew.

import { createRandom, UserError } from "../../core/index.ts";
import {
  indexGraph,
  intOf,
  type Model,
  type Node,
  type OperatorTable,
  type Tensor,
  tensorOf,
  type ValueInfo,
} from "../../onnx/index.ts";
import { graphOf, withInitializers } from "./graph-surgery.ts";

/** Nodes that may stand between the last layer and the output. */
const AFTER = new Set([
  "Identity",
  "Softmax",
  "LogSoftmax",
  "Sigmoid",
  "Flatten",
  "Add",
  "Dropout",
]);

/**
 * The model with a last layer for another number of classes: a Gemm, a MatMul with or without a bias, or
 * a convolution before pooling over the whole image. New weights are drawn from +-1 / sqrt(inputs), biases
 * are 0. Throws UserError where the last layer is not found.
 */
export function withNewHead(
  model: Model,
  options: { readonly operators: OperatorTable; readonly classes: number; readonly seed: number },
): Model {
  const { classes, seed } = options;
  const head = findHead(model);
  const { dims, axis } = head.weight;
  const sizes = dims.map((size, at) => (at === axis ? classes : size));
  const inputs = sizes.reduce((product, size, at) => (at === axis ? product : product * size), 1);
  const random = createRandom(seed);
  const bound = 1 / Math.sqrt(inputs);
  const values = Float32Array.from(
    { length: inputs * classes },
    () => bound * (2 * random.uniform() - 1),
  );
  const tensors = new Map<string, Tensor>([
    [head.weight.name, tensorOf("float32", { dims: sizes, values })],
    ...(head.bias === null
      ? []
      : [
          [
            head.bias,
            tensorOf("float32", { dims: [classes], values: new Float32Array(classes) }),
          ] as const,
        ]),
  ]);
  const replaced = withInitializers(model, tensors);
  const graph = graphOf(replaced);
  return {
    ...replaced,
    // What the file states of values in between may speak of the old classes.
    graph: {
      ...graph,
      valueInfos: [],
      outputs: graph.outputs.map((info, at) => (at === 0 ? withClasses(info, classes) : info)),
    },
  };
}

interface Head {
  readonly weight: {
    readonly name: string;
    readonly dims: readonly number[];
    readonly axis: number;
  };
  readonly bias: string | null;
}

function findHead(model: Model): Head {
  const index = indexGraph(graphOf(model));
  const stored = (name: string | undefined): readonly number[] | null => {
    const tensor = name === undefined ? null : index.initializer(name);
    return tensor === null ? null : tensor.dims.map(Number);
  };
  let value = graphOf(model).outputs[0]?.name ?? "";
  let added: string | null = null;
  for (let node = index.producer(value); node !== null; node = index.producer(value)) {
    const [x = "", w = "", b] = node.inputs;
    const dims = stored(w);
    if (dims !== null && WEIGHTED.has(node.opType)) {
      const bias = stored(b) === null ? added : (b ?? null);
      return { weight: { name: w, dims, axis: outputAxis(node) }, bias };
    }
    if (!AFTER.has(node.opType) && !POOLS.has(node.opType)) break;
    const isBias = node.opType === "Add" && (stored(x)?.length === 1 || dims?.length === 1);
    if (node.opType === "Add" && !isBias) break;
    if (isBias) added = dims === null ? x : w;
    value = isBias && dims === null ? w : x;
  }
  throw new UserError("unsupported", "the last layer of the model was not found", {
    hint: "A new head takes the place of a Gemm, a MatMul or a convolution at the end of the model.",
  });
}

const WEIGHTED = new Set(["Gemm", "MatMul", "Conv"]);
const POOLS = new Set(["GlobalAveragePool", "Reshape", "Squeeze", "ReduceMean"]);

const outputAxis = (node: Node): number => {
  if (node.opType === "Conv") return 0;
  return node.opType === "Gemm" && intOf(node, "transB", 0) === 1 ? 0 : 1;
};

function withClasses(info: ValueInfo, classes: number): ValueInfo {
  if (info.type?.kind !== "tensor" || info.type.shape === undefined) return info;
  const shape = info.type.shape.map((size, axis) =>
    axis === 1 ? { value: BigInt(classes) } : size,
  );
  return { ...info, type: { ...info.type, shape } };
}

/**
 * The value before a final Softmax, LogSoftmax or Sigmoid: losses on classes read logits, and many models
 * end in probabilities. The output itself where there is none.
 */
export function logitsOf(model: Model, output?: string): string {
  const graph = graphOf(model);
  const value = output ?? graph.outputs[0]?.name ?? "";
  const last = indexGraph(graph).producer(value);
  const ends = last !== null && ["Softmax", "LogSoftmax", "Sigmoid"].includes(last.opType);
  return ends ? (last.inputs[0] ?? value) : value;
}
