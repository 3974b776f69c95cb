// Gradients of recurrent layers by backpropagation through time (Werbos, 1990), unrolled.
//
// All hidden states are results of the forward pass, so that gates are computed again for all steps at
// once; only what one step hands to the one before it is unrolled.

import { attributeOf, intOf, type Node, textOf } from "../../../onnx/index.ts";
import { gruGradients } from "./gru.ts";
import { lstmGradients } from "./lstm.ts";
import type { Cell, Direction, DirectionGradients } from "./recurrent-direction.ts";
import type { Prepare, Rules, Site, Vjp } from "./rule.ts";
import type { Value } from "./writer.ts";

/** Attributes that change what a layer computes, and that have no rule. */
const UNUSUAL = ["activations", "activation_alpha", "activation_beta", "clip"] as const;

function requireUsual(site: Site): void {
  const { node } = site;
  const unusual = UNUSUAL.find(
    (name) => attributeOf(node, name) !== null && !isDefault(node, name),
  );
  const hint = "Use the layer in its usual form, or write its steps out.";
  if (unusual !== undefined) throw site.fault(`it has ${unusual}`, hint);
  if (intOf(node, "layout", 0) !== 0) throw site.fault("its layout is batch first", hint);
  if (intOf(node, "input_forget", 0) !== 0) throw site.fault("it couples its gates", hint);
  if (site.has(7)) throw site.fault("it has peepholes", hint);
  if (!site.has(4)) return;
  const steps = site.input(0).dims[0];
  if (site.numbers(4).some((length) => length !== steps)) {
    throw site.fault("its sequences differ in length", "Pad them and mask the loss instead.");
  }
}

/** The default activations, spelled out for each direction. */
const DEFAULTS: Readonly<Record<string, string>> = {
  LSTM: "sigmoid,tanh,tanh",
  GRU: "sigmoid,tanh",
};

function isDefault(node: Node, name: string): boolean {
  const attribute = attributeOf(node, name);
  if (name !== "activations" || attribute?.kind !== "strings") return false;
  const given = attribute.value.map((text) => new TextDecoder().decode(text).toLowerCase()).join();
  const usual = DEFAULTS[node.opType] ?? "";
  return given === usual || given === `${usual},${usual}`;
}

function directionOf(site: Site, at: number): Direction {
  const { write } = site;
  const backwards = isBackwards(site, at);
  const [steps = 1, samples = 1] = site.input(0).dims;
  const units = site.input(2).dims[2] ?? 1;
  const own = (value: Value, axis: number): Value => {
    const cut = write.slice(value, [{ axis, start: at, end: at + 1 }]);
    return write.reshape(
      cut,
      value.dims.filter((_, index) => index !== axis),
    );
  };
  const inOrder = (value: Value): Value => (backwards ? write.reversed(value, 0) : value);
  const zeros = write.full([samples, units], 0, site.input(0).dataType);
  const start = (index: number): Value => (site.has(index) ? own(site.input(index), 0) : zeros);
  const last = (index: number): Value | null => {
    const gradient = site.upstream(index);
    return gradient === null ? null : own(gradient, 0);
  };
  const states = inOrder(own(site.output(0), 1));
  const h0 = start(5);
  const first = write.reshape(h0, [1, samples, units]);
  const but = write.slice(states, [{ axis: 0, start: 0, end: steps - 1 }]);
  const dLast = last(1);
  const dy = inOrder(own(site.dy, 1));
  const [input, recurrent] = site.has(3) ? write.split(own(site.input(3), 0), 0, 2) : [];
  return {
    x: inOrder(site.input(0)),
    w: own(site.input(1), 0),
    r: own(site.input(2), 0),
    bias: input === undefined || recurrent === undefined ? null : [input, recurrent],
    h0,
    c0: start(6),
    before: steps === 1 ? first : write.concat([first, but], 0),
    states,
    dy: dLast === null ? dy : addedToLast(site, dy, dLast),
    dc: last(2) ?? zeros,
  };
}

function addedToLast({ write }: Site, dy: Value, last: Value): Value {
  const steps = dy.dims[0] ?? 1;
  const one = write.reshape(last, [1, ...last.dims]);
  return write.add(dy, write.pad(one, [steps - 1, 0, 0, 0, 0, 0]));
}

const isBackwards = ({ node }: Site, at: number): boolean =>
  textOf(node, "direction", "forward") === "reverse" || at === 1;

const recurrent =
  (cell: Cell): Vjp =>
  (site) => {
    requireUsual(site);
    const { write } = site;
    const directions = site.input(1).dims[0] ?? 1;
    const all = Array.from({ length: directions }, (_, at) => cell(site, directionOf(site, at)));
    const stacked = (pick: (gradients: DirectionGradients) => Value) => (): Value =>
      write.concat(
        all.map((gradients) => {
          const value = pick(gradients);
          return write.reshape(value, [1, ...value.dims]);
        }),
        0,
      );
    const dx = (): Value => {
      const each = all.map(({ x }, at) => (isBackwards(site, at) ? write.reversed(x, 0) : x));
      return each.reduce((sum, x) => write.add(sum, x));
    };
    return [
      dx,
      stacked(({ w }) => w),
      stacked(({ r }) => r),
      stacked(({ bias }) => write.concat(bias, 0)),
      null,
      stacked(({ h0 }) => h0),
      stacked(({ h0, c0 = h0 }) => c0),
    ];
  };

/** All hidden states, even where only the last is used. */
export const withStates: Prepare = (node, extra) => {
  const [states = "", ...rest] = node.outputs;
  return states === "" ? { ...node, outputs: [extra("states"), ...rest] } : node;
};

export const recurrences: Rules = {
  LSTM: recurrent(lstmGradients),
  GRU: recurrent(gruGradients),
};
