// Losses on real numbers. Targets are float32 in the shape of the prediction, each loss a mean over
// all elements.

import type { GraphBuilder } from "../../../onnx/index.ts";
import type { Loss } from "./loss.ts";
import { meanOf, onlyPrediction, scalar } from "./terms.ts";

/** A loss that is a mean of some function of prediction - target. */
function ofDifference(name: string, each: (graph: GraphBuilder, d: string) => string): Loss {
  return {
    name,
    predictions: 1,
    emit(context) {
      const { value, shape } = onlyPrediction(context);
      const { graph } = context;
      const target = context.target("targets", "float32", shape);
      return meanOf(graph, each(graph, graph.op("Sub", [value, target])));
    },
  };
}

/** Mean squared error. */
export const meanSquaredError: Loss = ofDifference("mse", (graph, d) => graph.op("Mul", [d, d]));

/** Mean absolute error. */
export const meanAbsoluteError: Loss = ofDifference("mae", (graph, d) => graph.op("Abs", [d]));

/**
 * Huber's loss (1964): d^2 / 2 up to delta, delta (|d| - delta / 2) beyond. With c = d clipped to
 * [-delta, delta] both are c (d - c / 2).
 */
export function huber({ delta = 1 }: { readonly delta?: number } = {}): Loss {
  if (!(delta > 0)) throw new RangeError(`delta is above 0, not ${delta}`);
  return ofDifference("huber", (graph, d) => {
    const clipped = graph.op("Clip", [d, scalar(graph, -delta), scalar(graph, delta)]);
    const half = graph.op("Mul", [clipped, scalar(graph, 0.5)]);
    return graph.op("Mul", [clipped, graph.op("Sub", [d, half])]);
  });
}

/**
 * Pinball loss of quantiles (Koenker & Bassett 1978): for d = target - prediction, q d where d > 0 and
 * (q - 1) d elsewhere. Several quantiles stand along the prediction's last axis; the target then has
 * size 1 there.
 */
export function pinball({ quantiles }: { readonly quantiles: readonly number[] }): Loss {
  const inside = quantiles.length > 0 && quantiles.every((q) => q > 0 && q < 1);
  if (!inside) throw new RangeError(`quantiles lie between 0 and 1, not ${quantiles.join(", ")}`);
  return {
    name: "pinball",
    predictions: 1,
    emit(context) {
      const { value, shape } = onlyPrediction(context);
      const { graph } = context;
      const single = quantiles.length === 1;
      if (!single && shape.at(-1) !== quantiles.length) {
        throw new RangeError(
          `${quantiles.length} quantiles need a last axis of that size, not ${shape.at(-1)}`,
        );
      }
      const target = context.target(
        "targets",
        "float32",
        single ? shape : [...shape.slice(0, -1), 1],
      );
      const d = graph.op("Sub", [target, value]);
      const weights = (values: readonly number[]): string =>
        graph.constant("float32", { dims: single ? [] : [values.length], values });
      const above = graph.op("Mul", [graph.op("Relu", [d]), weights(quantiles)]);
      const below = graph.op("Mul", [
        graph.op("Relu", [graph.op("Neg", [d])]),
        weights(quantiles.map((q) => 1 - q)),
      ]);
      return meanOf(graph, graph.op("Add", [above, below]));
    },
  };
}
