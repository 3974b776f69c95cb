// Gradient of GRU (Cho et al., 2014), in ONNX's order of gates: update, reset, hidden; the reset before
// or after (linear_before_reset) the product with the hidden state.

import { intOf } from "../../../onnx/index.ts";
import type { Cell, Direction } from "./recurrent-direction.ts";
import { asRows, joined, projected, sigmoidSlope, stepsOf, tanhSlope } from "./unrolled.ts";
import type { Value, Writer } from "./writer.ts";

/** Gates of all steps, [T, N, H] each, and the recurrent weights of update and reset, and of hidden. */
interface Trace {
  readonly update: Value;
  readonly reset: Value;
  readonly hidden: Value;
  /** The recurrent part of the hidden gate before it is reset; only with the reset after the product. */
  readonly inner: Value | null;
  readonly weights: readonly [gates: Value, hidden: Value];
}

function traced(write: Writer, of: Direction, after: boolean): Trace {
  const units = of.r.dims[1] ?? 1;
  const cut = (value: Value, start: number, end: number): Value =>
    write.slice(value, [{ axis: value.dims.length - 1, start: start * units, end: end * units }]);
  const rows = (value: Value, start: number, end: number): Value =>
    write.slice(value, [{ axis: 0, start: start * units, end: end * units }]);
  const withBias = (value: Value, bias: Value | undefined): Value =>
    bias === undefined ? value : write.add(value, bias);
  const fromInput = withBias(projected(write, of.x, of.w), of.bias?.[0]);
  const weights = [rows(of.r, 0, 2), rows(of.r, 2, 3)] as const;
  const gateBias = of.bias && rows(of.bias[1], 0, 2);
  const hiddenBias = of.bias && rows(of.bias[1], 2, 3);
  const recurrent = withBias(projected(write, of.before, weights[0]), gateBias ?? undefined);
  const gates = write.unary("Sigmoid", write.add(cut(fromInput, 0, 2), recurrent));
  const [update, reset] = [cut(gates, 0, 1), cut(gates, 1, 2)];
  const state = after ? of.before : write.mul(reset, of.before);
  const inner = withBias(projected(write, state, weights[1]), hiddenBias ?? undefined);
  const own = after ? write.mul(reset, inner) : inner;
  const hidden = write.unary("Tanh", write.add(cut(fromInput, 2, 3), own));
  return { update, reset, hidden, inner: after ? inner : null, weights };
}

export const gruGradients: Cell = ({ write, node }, of) => {
  const trace = traced(write, of, intOf(node, "linear_before_reset", 0) !== 0);
  const { reset, inner } = trace;
  const { dUpdate, dReset, dHidden, dh } = backwards(write, of, trace);
  const gates = write.concat([dUpdate, dReset], 2);
  const input = asRows(write, write.concat([gates, dHidden], 2));
  const dInner = inner === null ? dHidden : write.mul(dHidden, reset);
  const state = inner === null ? write.mul(reset, of.before) : of.before;
  const fromGates = write.gemm(asRows(write, gates), asRows(write, of.before), { a: true });
  const fromHidden = write.gemm(asRows(write, dInner), asRows(write, state), { a: true });
  const recurrent = asRows(write, write.concat([gates, dInner], 2));
  return {
    x: write.reshape(write.gemm(input, of.w, {}), of.x.dims),
    w: write.gemm(input, asRows(write, of.x), { a: true }),
    r: write.concat([fromGates, fromHidden], 0),
    bias: [write.sum(input, [0], false), write.sum(recurrent, [0], false)],
    h0: dh,
  };
};

interface Backwards {
  readonly dUpdate: Value;
  readonly dReset: Value;
  readonly dHidden: Value;
  readonly dh: Value;
}

/** From the last step to the first; h = (1 - update) hidden + update h. */
function backwards(write: Writer, of: Direction, trace: Trace): Backwards {
  const { update, reset, hidden, inner, weights } = trace;
  const one = write.scalar(1, of.x.dataType);
  const steps = (value: Value): readonly Value[] => stepsOf(write, value);
  const dy = steps(of.dy);
  const updates = steps(update);
  const resets = steps(reset);
  const byUpdate = steps(write.mul(write.sub(of.before, hidden), sigmoidSlope(write, update)));
  const byHidden = steps(write.mul(write.sub(one, update), tanhSlope(write, hidden)));
  const byReset = steps(write.mul(inner ?? of.before, sigmoidSlope(write, reset)));
  const gates: { update: Value; reset: Value; hidden: Value }[] = [];
  let dh: Value | null = null;
  for (let at = dy.length - 1; at >= 0; at--) {
    const [own, z, r] = [dy[at], updates[at], resets[at]];
    const [slopeZ, slopeH, slopeR] = [byUpdate[at], byHidden[at], byReset[at]];
    if (!(own && z && r && slopeZ && slopeH && slopeR)) throw new TypeError("a step is missing");
    const dState: Value = dh === null ? own : write.add(own, dh);
    const dHidden = write.mul(dState, slopeH);
    // By the reset state when the reset comes first, by the reset product otherwise.
    const dInner: Value =
      inner === null ? write.gemm(dHidden, weights[1], {}) : write.mul(dHidden, r);
    const dUpdate = write.mul(dState, slopeZ);
    const dReset = write.mul(inner === null ? dInner : dHidden, slopeR);
    const fromHidden = inner === null ? write.mul(dInner, r) : write.gemm(dInner, weights[1], {});
    const fromGates = write.gemm(write.concat([dUpdate, dReset], 1), weights[0], {});
    dh = write.add(write.add(write.mul(dState, z), fromHidden), fromGates);
    gates.unshift({ update: dUpdate, reset: dReset, hidden: dHidden });
  }
  const all = (pick: "update" | "reset" | "hidden"): Value =>
    joined(
      write,
      gates.map((step) => step[pick]),
    );
  return {
    dUpdate: all("update"),
    dReset: all("reset"),
    dHidden: all("hidden"),
    dh: dh ?? of.h0,
  };
}
