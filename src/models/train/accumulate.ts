// Gradient accumulation: the mean gradient of several small batches in the memory of one. One graph adds
// a batch's share to running sums, another makes the update from the sums.

import { extendModel, type Model, modelBuilder, type OperatorTable } from "../../onnx/index.ts";
import { initializersToInputs, withoutOutputs } from "./graph-surgery.ts";
import {
  emitUpdate,
  type StateEntry,
  type Trainable,
  type UpdateGraph,
  type UpdateOptions,
} from "./with-optimizer.ts";

/** A graph that adds gradients to sums, in place. */
export interface AccumulationGraph {
  readonly model: Model;
  /** The sums, by their parameters' order; zero before the first batch. */
  readonly sums: readonly StateEntry[];
  /** Statistics, which change with every batch. */
  readonly statistics: readonly StateEntry[];
}

const sumOf = (name: string): string => `gradient/${name}`;

/** Adds gradient / count to a sum for each parameter, and states the outputs anew. */
export function withAccumulation(
  model: Model,
  options: {
    readonly operators: OperatorTable;
    readonly parameters: readonly Trainable[];
    readonly gradients: ReadonlyMap<string, string>;
    readonly statistics: readonly (Trainable & { readonly next: string })[];
    /** Batches to an update. */
    readonly count: number;
    readonly keep: readonly string[];
  },
): AccumulationGraph {
  const { operators, parameters, gradients, statistics, count, keep } = options;
  const changing = new Set([...parameters, ...statistics].map(({ name }) => name));
  const bare = withoutOutputs(initializersToInputs(model, changing));
  const graph = extendModel(bare, { operators });
  for (const value of keep) graph.output(value);
  const share = graph.constant("float32", { dims: [], values: [1 / count] });
  const sums = parameters.map(({ name, dims }): StateEntry => {
    const input = graph.input(sumOf(name), "float32", dims);
    const part = graph.op("Mul", [gradients.get(name) ?? "", share]);
    const output = `next/${input}`;
    graph.output(graph.op("Add", [input, part]), { name: output });
    return { name: input, input, output, dims, inPlace: true, role: "slot" };
  });
  const followed = statistics.map(({ name, dims, next }): StateEntry => {
    const output = `next/${name}`;
    graph.output(next, { name: output });
    return { name, input: name, output, dims, inPlace: false, role: "statistic" };
  });
  return { model: graph.finish(), sums, statistics: followed };
}

/** The update alone, from sums that are fed. */
export function updateFromSums(
  parameters: readonly Trainable[],
  options: UpdateOptions & { readonly operators: OperatorTable },
): UpdateGraph {
  const graph = modelBuilder({ operators: options.operators, name: "update" });
  const withGradients = parameters.map(({ name, dims }) => ({
    name: graph.input(name, "float32", dims),
    dims,
    gradient: graph.input(sumOf(name), "float32", dims),
  }));
  const update = emitUpdate(graph, withGradients, options);
  return { ...update, model: graph.finish() };
}
