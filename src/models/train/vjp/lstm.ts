// Gradient of LSTM (Hochreiter & Schmidhuber, 1997, with the forget gate of Gers et al., 2000), in
// ONNX's order of gates: input, output, forget, cell.

import type { Cell, Direction } from "./recurrent-direction.ts";
import { asRows, joined, preactivations, sigmoidSlope, stepsOf, tanhSlope } from "./unrolled.ts";
import type { Value, Writer } from "./writer.ts";

/** Gates and cell states of all steps, [T, N, H] each. */
interface Trace {
  readonly input: Value;
  readonly output: Value;
  readonly forget: Value;
  readonly cell: Value;
  /** Cell states before each step. */
  readonly before: Value;
  /** tanh of the cell states after each step. */
  readonly squashed: Value;
}

/** c = forget c + input cell, step by step. */
function traced(write: Writer, of: Direction): Trace {
  const { x, w, r, bias } = of;
  const gates = preactivations(write, { x, w, h: of.before, r, bias });
  const [i, o, f, g] = write.split(gates, 2, 4);
  if (!(i && o && f && g)) throw new TypeError("an LSTM has four gates");
  const [input, output, forget] = [i, o, f].map((gate) => write.unary("Sigmoid", gate));
  if (!(input && output && forget)) throw new TypeError("an LSTM has three gates");
  const cell = write.unary("Tanh", g);
  const added = stepsOf(write, write.mul(input, cell));
  const kept = stepsOf(write, forget);
  const states = [of.c0];
  for (const [at, gain] of added.entries()) {
    const state = states[at] ?? of.c0;
    const factor = kept[at];
    if (factor !== undefined) states.push(write.add(write.mul(factor, state), gain));
  }
  const before = joined(write, states.slice(0, -1));
  const squashed = write.unary("Tanh", joined(write, states.slice(1)));
  return { input, output, forget, cell, before, squashed };
}

export const lstmGradients: Cell = ({ write }, of) => {
  const trace = traced(write, of);
  const { input, output, forget, cell, before, squashed } = trace;
  // What dc and dh are multiplied with to give the gradients by the gates, for all steps at once.
  const slopes = write.concat(
    [
      write.mul(cell, sigmoidSlope(write, input)),
      write.mul(squashed, sigmoidSlope(write, output)),
      write.mul(before, sigmoidSlope(write, forget)),
      write.mul(input, tanhSlope(write, cell)),
    ],
    2,
  );
  const through = write.mul(output, tanhSlope(write, squashed));
  const steps = { slopes, through, forget, dy: of.dy };
  const { gates, dh, dc } = backwards(write, of, steps);
  const rows = asRows(write, gates);
  const bias = write.sum(rows, [0], false);
  return {
    x: write.reshape(write.gemm(rows, of.w, {}), of.x.dims),
    w: write.gemm(rows, asRows(write, of.x), { a: true }),
    r: write.gemm(rows, asRows(write, of.before), { a: true }),
    bias: [bias, bias],
    h0: dh,
    c0: dc,
  };
};

/** From the last step to the first: what each hands on to the one before. */
function backwards(
  write: Writer,
  of: Direction,
  all: Readonly<Record<"slopes" | "through" | "forget" | "dy", Value>>,
): { readonly gates: Value; readonly dh: Value; readonly dc: Value } {
  const [slopes, through, forget, dy] = [all.slopes, all.through, all.forget, all.dy].map((value) =>
    stepsOf(write, value),
  );
  const gates: Value[] = [];
  let dh: Value | null = null;
  let { dc } = of;
  for (let at = (dy?.length ?? 0) - 1; at >= 0; at--) {
    const [slope, through1, forget1, own] = [slopes?.[at], through?.[at], forget?.[at], dy?.[at]];
    if (!(slope && through1 && forget1 && own)) throw new TypeError("a step is missing");
    const dState: Value = dh === null ? own : write.add(own, dh);
    const dCell = write.add(dc, write.mul(dState, through1));
    const gate = write.mul(write.concat([dCell, dState, dCell, dCell], 1), slope);
    gates.unshift(gate);
    dh = write.gemm(gate, of.r, {});
    dc = write.mul(dCell, forget1);
  }
  return { gates: joined(write, gates), dh: dh ?? of.h0, dc };
}
