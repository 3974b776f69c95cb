// Normalisations: the output has the shape of the input, statistics beside it have theirs.

import type { Shape } from "../inferred-type.ts";
import {
  axisOf,
  axisSize,
  dataTypeOf,
  elementTypeAt,
  intOf,
  mustAgree,
  type Operation,
  type Rules,
  shapeAt,
  shapeFromRank,
  tensors,
} from "../operation.ts";
import { unary } from "./elementwise.ts";

/** The input, its axes from `axis` on reduced to 1. */
function statistics(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  const axis = axisOf(intOf(operation, "axis", -1), shape.length);
  return shape.map((size, at) => (at < axis ? size : 1));
}

/** Statistics are in float32 unless `stash_type` says otherwise. */
const withStatistics = (operation: Operation) => [
  elementTypeAt(operation, 0),
  dataTypeOf(intOf(operation, "stash_type", 1)),
];

const layer = tensors((operation) => {
  const reduced = statistics(operation);
  return [shapeAt(operation, 0), reduced, reduced];
}, withStatistics);

export const normalisation: Rules = {
  BatchNormalization: tensors((operation) => {
    const shape = shapeFromRank(operation, 0, 1);
    const channels = shape.length > 1 ? axisSize(shape, 1) : 1;
    const [scale = channels] = shapeFromRank(operation, 1, 1);
    mustAgree(channels, scale, () => "channels of the data and of the scale");
    // Running mean and variance; before opset 14 also the saved ones.
    return [shape, [channels], [channels], [channels], [channels]];
  }),
  InstanceNormalization: unary,
  GroupNormalization: unary,
  RMSNormalization: layer,
  LayerNormalization: layer,
  // Since ONNX Runtime registers it without a domain too, exporters write it so.
  SimplifiedLayerNormalization: layer,
};
