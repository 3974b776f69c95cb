// The gradient rules that there are.

import { activations } from "./activation.ts";
import { arithmetic } from "./arithmetic.ts";
import { batchNormalisations } from "./batch-normalisation.ts";
import { convolutions } from "./convolution.ts";
import { einsums } from "./einsum.ts";
import { gathers } from "./gather.ts";
import { matrices } from "./matrix.ts";
import { movements } from "./movement.ts";
import { normalisations, withStatistics } from "./normalisation.ts";
import { pools, withPlaces } from "./pooling.ts";
import { quantisations } from "./quantisation.ts";
import { randoms, withMask } from "./random.ts";
import { recurrences, withStates } from "./recurrent.ts";
import { reductions } from "./reduction.ts";
import { resizes } from "./resize.ts";
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
  ...batchNormalisations,
  ...normalisations,
  ...recurrences,
  ...einsums,
  ...gathers,
  ...movements,
  ...resizes,
  ...quantisations,
  ...randoms,
  ...reductions,
  ...shapes,
  ...softmaxes,
};

/** What nodes of the forward pass are asked to give besides. */
export const preparations: Readonly<Record<string, Prepare>> = {
  Dropout: withMask,
  GRU: withStates,
  LSTM: withStates,
  LayerNormalization: withStatistics,
  MaxPool: withPlaces,
  SoftmaxCrossEntropyLoss: withLogProbabilities,
};
