// Layers: functions that emit graph, with the field's names.

export { type ActivationName, activation, activationNames, relu } from "./activation.ts";
export { add, concat, residual } from "./combine.ts";
export { type ConvOptions, conv, depthwiseConv, pointwiseConv } from "./conv.ts";
export {
  type BlockStyle,
  type ConvBlockOptions,
  convBlock,
  depthwiseBlock,
} from "./conv-block.ts";
export { classifier, type DenseOptions, dense, flatten } from "./dense.ts";
export { dropout } from "./dropout.ts";
export { channelsOf, type Features, spatialOf } from "./features.ts";
export { type FireOptions, fire } from "./fire.ts";
export {
  type FlattenedOptions,
  flattenedConv,
  horizontalConv,
  type LineOptions,
  lateralConv,
  verticalConv,
} from "./flattened.ts";
export { type InceptionOptions, inception } from "./inception.ts";
export {
  type Fan,
  filledWith,
  glorotUniform,
  heNormal,
  type Initialiser,
  initialiserNamed,
  initialisers,
  lecunNormal,
  ones,
  zeros,
} from "./initialisers.ts";
export { type InvertedResidualOptions, invertedResidual } from "./inverted-residual.ts";
export { type LowRankOptions, lowRankConv, lowRankDense } from "./low-rank.ts";
export { batchNorm, layerNorm, localResponseNorm } from "./normalise.ts";
export {
  averagePool,
  globalAveragePool,
  globalMaxPool,
  globalMean,
  maxPool,
  type PoolOptions,
} from "./pool.ts";
export { type ResidualBlockOptions, residualBlock } from "./residual-block.ts";
export {
  type LayerScope,
  layerScope,
  type ScopeOptions,
  unshrunk,
  type WeightOptions,
  weight,
  within,
} from "./scope.ts";
export { type SeparableOptions, separableConv } from "./separable.ts";
export { FULL_WIDTH, shrunk, shrunkSize, type Width, widthOf } from "./shrink.ts";
export { channelShuffle, type ShuffleUnitOptions, shuffleUnit } from "./shuffle.ts";
export { type SqueezeExciteOptions, squeezeExcite } from "./squeeze-excite.ts";
export { type Padding, type Window, type WindowOptions, windowOver } from "./window.ts";
