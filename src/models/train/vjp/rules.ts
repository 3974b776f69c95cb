// The gradient rules that there are.

import { activations } from "./activation.ts";
import { arithmetic } from "./arithmetic.ts";
import { convolutions } from "./convolution.ts";
import { matrices } from "./matrix.ts";
import { normalisations } from "./normalisation.ts";
import { pools, withPlaces } from "./pooling.ts";
import { randoms, withMask } from "./random.ts";
import { reductions } from "./reduction.ts";
import type { Prepare, Rules } from "./rule.ts";
import { shapes } from "./shape.ts";
import { softmaxes, withLogProbabilities } from "./softmax.ts";

/** By operator. */
export const rules: Rules = {
  ...arithmetic,
  ...activations,
  ...matrices,
  ...convolutions,
  ...pools,
  ...normalisations,
  ...randoms,
  ...reductions,
  ...shapes,
  ...softmaxes,
};

/** What nodes of the forward pass are asked to give besides. */
export const preparations: Readonly<Record<string, Prepare>> = {
  Dropout: withMask,
  MaxPool: withPlaces,
  SoftmaxCrossEntropyLoss: withLogProbabilities,
};
