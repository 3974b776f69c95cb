// Learning from another model's logits (Hinton, Vinyals, Dean 2015).

import type { GraphBuilder } from "../../../onnx/index.ts";
import { crossEntropy, divergence } from "./cross-entropy.ts";
import type { Loss, Prediction } from "./loss.ts";
import { onlyPrediction, scalar } from "./terms.ts";

export interface DistillationOptions {
  /** Softens both distributions; above 0. Default: 4. */
  readonly temperature?: number;
  /** Weight of the cross-entropy on true labels, in [0, 1]; the rest goes to the teacher. Default: 0. */
  readonly hardWeight?: number;
  /**
   * Value of the graph that holds the teacher's logits, as `withTeacher` gives it. Default: an input
   * "teacher".
   */
  readonly teacher?: string;
}

/**
 * a CE(labels) + (1 - a) T^2 KL(softmax(teacher / T) || softmax(student / T)), mean over the batch. The
 * square keeps the size of gradients as T grows. With a = 0 no labels are needed.
 */
export function distillation(options: DistillationOptions = {}): Loss {
  const { temperature = 4, hardWeight = 0, teacher } = options;
  if (!(temperature > 0)) throw new RangeError(`the temperature is above 0, not ${temperature}`);
  if (!(hardWeight >= 0 && hardWeight <= 1)) {
    throw new RangeError(`the weight of labels is a share, not ${hardWeight}`);
  }
  return {
    name: "distillation",
    predictions: 1,
    emit(context) {
      const { graph } = context;
      const student = onlyPrediction(context);
      const soft = (): string => {
        const logits = teacher ?? context.target("teacher", "float32", student.shape);
        return softLoss(graph, student, { logits, temperature });
      };
      const hard = (): string => crossEntropy().emit(context);
      if (hardWeight === 0) return soft();
      if (hardWeight === 1) return hard();
      const weighted = (value: string, weight: number): string =>
        graph.op("Mul", [value, scalar(graph, weight)]);
      return graph.op("Add", [weighted(hard(), hardWeight), weighted(soft(), 1 - hardWeight)]);
    },
  };
}

function softLoss(
  graph: GraphBuilder,
  { value, shape }: Prediction,
  { logits, temperature }: { readonly logits: string; readonly temperature: number },
): string {
  const cooled = (of: string): string => graph.op("Div", [of, scalar(graph, temperature)]);
  const truth = graph.op("Softmax", [cooled(logits)], { axis: 1 });
  const loss = divergence(graph, { logits: cooled(value), truth, shape });
  return graph.op("Mul", [loss, scalar(graph, temperature ** 2)]);
}
