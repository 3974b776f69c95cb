// RNN, LSTM and GRU, all time steps of all directions (onnx, Operators.md).

import { addSizes, multiplySizes, productOfSizes, type Size } from "../../../onnx/index.ts";
import { axis, hasInput, inputShape, type Site, Uncountable } from "../site.ts";
import type { Work, WorkRule, WorkRules } from "./work.ts";

/** What one unit of a cell does in a step beside its matrix products. */
interface Cell {
  readonly gates: number;
  /** Additions and products on states and gates, without those inside a gate. */
  readonly state: number;
  /** Calls of sigmoid and tanh. */
  readonly functions: number;
}

/**
 * RNN: h = f(g). LSTM: c = f*c + i*g and h = o*tanh(c), so four operations and five functions. GRU:
 * h = (1 - z)*n + z*h with r multiplied into the candidate gate, four operations and three functions.
 */
const CELLS = {
  RNN: { gates: 1, state: 0, functions: 1 },
  LSTM: { gates: 4, state: 4, functions: 5 },
  GRU: { gates: 3, state: 4, functions: 3 },
} as const satisfies Record<string, Cell>;

/** A gate adds two products; two biases more when there are biases. */
const recurrent =
  ({ gates, state, functions }: Cell): WorkRule =>
  (site): Work => {
    const { steps, directions, inputs, hidden } = sizesOf(site, gates);
    const units = productOfSizes([steps, directions, hidden]);
    const macs = productOfSizes([units, gates, addSizes(inputs, hidden)]);
    const perGate = hasInput(site, 3) ? 3 : 1;
    return { macs, other: multiplySizes(units, gates * perGate + state + functions) };
  };

/** Steps of all sequences, directions, and the sizes of input and state. W is [directions, gates*hidden, inputs]. */
function sizesOf(
  site: Site,
  gates: number,
): { steps: Size; directions: Size; inputs: Size; hidden: Size } {
  const [first, second, inputs] = inputShape(site, 0);
  const [directions, rows] = inputShape(site, 1);
  if (
    first === undefined ||
    second === undefined ||
    inputs === undefined ||
    directions === undefined
  )
    throw new Uncountable("the input is not [steps, batch, size]");
  const hidden = axis(inputShape(site, 2), 2);
  if (typeof rows === "number" && typeof hidden === "number" && rows !== gates * hidden)
    throw new Uncountable(`weights of ${rows} rows do not fit ${hidden} units`);
  return { steps: multiplySizes(first, second), directions, inputs, hidden };
}

/** Weights are transposed: [directions, inputs, 4*hidden] and [directions, hidden, 4*hidden]. */
const quantisedLstm: WorkRule = (site) => {
  const [length = 1, batch = 1, inputs = 1] = inputShape(site, 0);
  const [directions = 1, hidden = 1] = inputShape(site, 2);
  const units = productOfSizes([length, batch, directions, hidden]);
  const { gates, state, functions } = CELLS.LSTM;
  return {
    macs: productOfSizes([units, gates, addSizes(inputs, hidden)]),
    other: multiplySizes(units, gates * (hasInput(site, 3) ? 3 : 1) + state + functions),
  };
};

export const recurrence: WorkRules = {
  RNN: recurrent(CELLS.RNN),
  LSTM: recurrent(CELLS.LSTM),
  GRU: recurrent(CELLS.GRU),
};

export const microsoftRecurrence: WorkRules = { DynamicQuantizeLSTM: quantisedLstm };
