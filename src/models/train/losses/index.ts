// The losses there are.

export { type CrossEntropyOptions, crossEntropy, klDivergence } from "./cross-entropy.ts";
export { type DistillationOptions, distillation } from "./distillation.ts";
export { bayesianRanking, binaryCrossEntropy } from "./logistic.ts";
export type { Loss, LossContext, Prediction } from "./loss.ts";
export { huber, meanAbsoluteError, meanSquaredError, pinball } from "./regression.ts";
