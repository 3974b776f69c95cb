// RNN, LSTM and GRU: sequences of hidden states, in one or two directions.

import type { Shape } from "../inferred-type.ts";
import {
  axisSize,
  intOf,
  type Operation,
  type Rules,
  shapeOfRank,
  tensors,
  textOf,
} from "../operation.ts";

function recurrent(operation: Operation): readonly Shape[] {
  const [first = 1, second = 1] = shapeOfRank(operation, 0, 3);
  const stated = intOf(operation, "hidden_size", 0);
  const hidden = stated > 0 ? stated : axisSize(shapeOfRank(operation, 2, 3), 2);
  const directions = textOf(operation, "direction", "forward") === "bidirectional" ? 2 : 1;
  // Opset 14: with layout 1 the batch comes first everywhere.
  if (intOf(operation, "layout", 0) === 1) {
    const last = [first, directions, hidden];
    return [[first, second, directions, hidden], last, last];
  }
  const last = [directions, second, hidden];
  return [[first, directions, second, hidden], last, last];
}

const rule = tensors(recurrent);

export const recurrence: Rules = { RNN: rule, LSTM: rule, GRU: rule };
