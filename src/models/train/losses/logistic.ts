// Losses through the logistic function, written with softplus, which does not overflow.

import { ModelError } from "../../../onnx/index.ts";
import type { Loss } from "./loss.ts";
import { meanOf, onlyPrediction } from "./terms.ts";

/**
 * Binary cross-entropy on logits, mean over all elements: softplus(x) - x y, which is
 * -y log s(x) - (1 - y) log(1 - s(x)). Targets are float32 in [0, 1].
 */
export const binaryCrossEntropy: Loss = {
  name: "binary-cross-entropy",
  predictions: 1,
  emit(context) {
    const { value, shape } = onlyPrediction(context);
    const { graph } = context;
    const target = context.target("targets", "float32", shape);
    const product = graph.op("Mul", [value, target]);
    return meanOf(graph, graph.op("Sub", [graph.op("Softplus", [value]), product]));
  },
};

/**
 * Bayesian personalised ranking (Rendle et al. 2009): mean of -log s(positive - negative) over pairs of
 * scores, the model's first two outputs. It has no targets.
 */
export const bayesianRanking: Loss = {
  name: "bpr",
  predictions: 2,
  emit({ graph, predictions }) {
    const [positive, negative] = predictions;
    if (positive === undefined || negative === undefined) {
      throw new ModelError("ranking reads two outputs: the scores of better and worse", "loss", {
        hint: "Name both outputs.",
      });
    }
    const difference = graph.op("Sub", [negative.value, positive.value]);
    return meanOf(graph, graph.op("Softplus", [difference]));
  },
};
