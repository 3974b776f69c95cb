// What a student must have in common with its teacher: logits, features, or where features are strong.

import type { GraphBuilder } from "../../../onnx/index.ts";
import { distillation, type Loss, type Prediction } from "../../train/index.ts";

/** One value that the student is to match, in the names of the student and the teacher alike. */
export interface Match {
  readonly value: string;
  /**
   * `logits`: softened probabilities (Hinton, Vinyals & Dean 2015). `features`: squared differences
   * (Romero et al., "FitNets", ICLR 2015; attention scores and hidden states in TinyBERT). `attention`:
   * where over its positions a feature map is strong (Zagoruyko & Komodakis, ICLR 2017), whatever the
   * number of channels.
   */
  readonly kind: "logits" | "features" | "attention";
  /** Default: 1. */
  readonly weight?: number;
  /**
   * For `features` of other channels than the teacher's: a linear map is learnt beside the student and
   * thrown away afterwards. Default: false.
   */
  readonly project?: boolean;
}

/** The column of a dataset that holds what the teacher says of a value. */
export const taughtColumn = (value: string): string => `teacher ${value}`;

/** The value that the loss reads for a match: the student's own, or its projection. */
export const matchedValue = ({ value, project }: Match): string =>
  project === true ? `${value}/projected` : value;

export interface MatchingOptions {
  /** Of softened logits. Default: 4. */
  readonly temperature?: number;
  /** Mean square of the teacher's features, by value: makes losses of different layers comparable. */
  readonly energies: ReadonlyMap<string, number>;
}

/** The weighted sum of all matches; each reads the teacher's column of its value. */
export function matching(matches: readonly Match[], options: MatchingOptions): Loss {
  const { temperature = 4, energies } = options;
  return {
    name: "matching",
    predictions: matches.length,
    emit({ graph, predictions, target }) {
      const parts = matches.map((match, at) => {
        const prediction = predictions[at];
        if (prediction === undefined) throw new RangeError("a match without its value");
        const role = taughtColumn(match.value);
        const energy = energies.get(match.value) ?? 1;
        const loss = partOf(graph, { match, prediction, temperature, energy }, (shape) =>
          target(role, "float32", shape),
        );
        return graph.op("Mul", [loss, number(graph, match.weight ?? 1)]);
      });
      return parts.reduce((sum, part) => graph.op("Add", [sum, part]));
    },
  };
}

const number = (graph: GraphBuilder, value: number): string =>
  graph.constant("float32", { dims: [], values: [value] });

const meanOf = (graph: GraphBuilder, value: string): string =>
  graph.op("ReduceMean", [value], { keepdims: 0 });

function partOf(
  graph: GraphBuilder,
  of: {
    readonly match: Match;
    readonly prediction: Prediction;
    readonly temperature: number;
    readonly energy: number;
  },
  target: (shape: readonly number[]) => string,
): string {
  const { match, prediction, temperature, energy } = of;
  const { value, shape } = prediction;
  if (match.kind === "logits") {
    const teacher = target(shape);
    const loss = distillation({ temperature, teacher });
    return loss.emit({ graph, predictions: [prediction], target: () => teacher });
  }
  const [own, taught] =
    match.kind === "attention"
      ? [attentionMap(graph, value, shape), target(mapShape(shape))]
      : [value, target(shape)];
  const difference = graph.op("Sub", [own, taught]);
  const mean = meanOf(graph, graph.op("Mul", [difference, difference]));
  return graph.op("Div", [mean, number(graph, Math.max(energy, Number.MIN_VALUE ** 0.1))]);
}

/** [batch, positions] of a map [batch, channels, ...]. */
const mapShape = ([batch = 1, , ...positions]: readonly number[]): readonly number[] => [
  batch,
  positions.reduce((product, size) => product * size, 1),
];

/** Sum of squares over channels at each position, of unit length over the positions. */
export function attentionMap(
  graph: GraphBuilder,
  value: string,
  [, , ...positions]: readonly number[],
): string {
  const axes = (...values: number[]): string =>
    graph.constant("int64", { dims: [values.length], values: values.map(BigInt) });
  const squares = graph.op("Mul", [value, value]);
  const summed = graph.op("ReduceSum", [squares, axes(1)], { keepdims: 0 });
  const size = positions.reduce((product, length) => product * length, 1);
  const flat = graph.op("Reshape", [summed, axes(-1, size)]);
  const length = graph.op("ReduceSum", [graph.op("Mul", [flat, flat]), axes(1)], { keepdims: 1 });
  const root = graph.op("Sqrt", [graph.op("Add", [length, number(graph, 1e-12)])]);
  return graph.op("Div", [flat, root]);
}
