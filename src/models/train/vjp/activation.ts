// Gradients of activations, from the result where it says enough: the input can then be forgotten.

import { floatOf, textOf } from "../../../onnx/index.ts";
import type { Rules, Site, Vjp } from "./rule.ts";
import type { Value, Writer } from "./writer.ts";

const activation =
  (derivative: (site: Site, dy: Value) => Value): Vjp =>
  (site) => [() => derivative(site, site.dy)];

/**
 * 1 where a value is above 0, else 0. HardSigmoid with this slope is a step in one pass; it is compiled
 * for float32 on the CPU only.
 */
function step({ write, target }: Site, y: Value): Value {
  if (y.dataType === "float32" && target !== "webgpu") {
    return write.unary("HardSigmoid", y, { alpha: 1e30, beta: 0 });
  }
  return write.indicator("Greater", y, write.scalar(0, y.dataType));
}

/** `above` where x > 0, else `below`. */
const signed = (write: Writer, x: Value, above: Value, below: Value): Value =>
  write.where(write.compare("Greater", x, write.scalar(0, x.dataType)), above, below);

const relu = activation((site, dy) => site.write.mul(dy, step(site, site.output())));

const leakyRelu = activation(({ node, write, input }, dy) =>
  signed(write, input(0), dy, write.scale(dy, floatOf(node, "alpha", 0.01))),
);

const pRelu: Vjp = (site) => {
  const { write, dy } = site;
  const [x, slope] = [site.input(0), site.input(1)];
  return [
    () => signed(write, x, dy, write.mul(dy, slope)),
    () => {
      const zero = write.scalar(0, x.dataType);
      return write.sumTo(signed(write, x, zero, write.mul(dy, x)), slope.dims);
    },
  ];
};

/** Below 0, y = alpha (e^x - 1), so that dy/dx = y + alpha. */
const elu = activation(({ node, write, input, output }, dy) => {
  const alpha = write.scalar(floatOf(node, "alpha", 1), dy.dataType);
  return signed(write, input(0), dy, write.mul(dy, write.add(output(), alpha)));
});

/** Constants of Klambauer et al., Self-Normalizing Neural Networks, 2017, as ONNX rounds them. */
const selu = activation(({ node, write, input, output }, dy) => {
  const alpha = floatOf(node, "alpha", 1.6732632423543772);
  const gamma = floatOf(node, "gamma", 1.0507009873554805);
  const below = write.add(output(), write.scalar(alpha * gamma, dy.dataType));
  return signed(write, input(0), write.scale(dy, gamma), write.mul(dy, below));
});

const sigmoid = activation(({ write, output }, dy) => {
  const y = output();
  return write.mul(dy, write.sub(y, write.mul(y, y)));
});

const tanh = activation(({ write, output }, dy) => {
  const y = output();
  return write.mul(dy, write.sub(write.scalar(1, y.dataType), write.mul(y, y)));
});

const softplus = activation(({ write, input }, dy) =>
  write.mul(dy, write.unary("Sigmoid", input(0))),
);

const softsign = activation(({ write, input }, dy) => {
  const x = input(0);
  const denominator = write.add(write.unary("Abs", x), write.scalar(1, x.dataType));
  return write.div(dy, write.mul(denominator, denominator));
});

/** The slope where the value was not cut; at the bounds themselves it still passes. */
const clip: Vjp = (site) => {
  const { write, dy } = site;
  const byBound = (index: number, type: string) => () => {
    const cut = write.compare(type, site.input(0), site.input(index));
    const zero = write.scalar(0, dy.dataType);
    return write.sumTo(write.where(cut, dy, zero), site.input(index).dims);
  };
  return [
    () => {
      const x = site.input(0);
      const masks = [
        ...(site.has(1) ? [write.indicator("GreaterOrEqual", x, site.input(1))] : []),
        ...(site.has(2) ? [write.indicator("LessOrEqual", x, site.input(2))] : []),
      ];
      return masks.reduce((gradient, mask) => write.mul(gradient, mask), dy);
    },
    site.has(1) ? byBound(1, "Less") : null,
    site.has(2) ? byBound(2, "Greater") : null,
  ];
};

/** y = x max(0, min(1, x/6 + 1/2)) */
const hardSwish = activation(({ write, input }, dy) => {
  const x = input(0);
  const gate = write.unary("HardSigmoid", x, { alpha: 1 / 6, beta: 0.5 });
  const inside = write.indicator("Less", write.unary("Abs", x), write.scalar(3, x.dataType));
  return write.mul(dy, write.add(gate, write.mul(inside, write.scale(x, 1 / 6))));
});

const hardSigmoid = activation(({ node, write, output }, dy) => {
  const y = output();
  const inside = write.mul(
    write.indicator("Greater", y, write.scalar(0, y.dataType)),
    write.indicator("Less", y, write.scalar(1, y.dataType)),
  );
  return write.mul(dy, write.scale(inside, floatOf(node, "alpha", 0.2)));
});

/** x Phi(x); its derivative is Phi(x) + x phi(x) (Hendrycks & Gimpel, 2016). */
function exactGelu({ write, input }: Site, dy: Value): Value {
  const x = input(0);
  const one = write.scalar(1, x.dataType);
  const erf = write.unary("Erf", write.scale(x, Math.SQRT1_2));
  const cumulative = write.scale(write.add(erf, one), 0.5);
  const bell = write.unary("Exp", write.scale(write.mul(x, x), -0.5));
  const density = write.scale(bell, 1 / Math.sqrt(2 * Math.PI));
  return write.mul(dy, write.add(cumulative, write.mul(x, density)));
}

/** x (1 + tanh(u)) / 2 with u = sqrt(2/pi) (x + 0.044715 x^3). */
function tanhGelu({ write }: Site, x: Value, dy: Value): Value {
  const one = write.scalar(1, x.dataType);
  const square = write.mul(x, x);
  const c = Math.sqrt(2 / Math.PI);
  const inner = write.scale(write.mul(x, write.add(one, write.scale(square, 0.044715))), c);
  const t = write.unary("Tanh", inner);
  const slope = write.scale(write.add(one, write.scale(square, 3 * 0.044715)), c);
  const rest = write.mul(write.mul(x, write.sub(one, write.mul(t, t))), slope);
  return write.mul(dy, write.scale(write.add(write.add(one, t), rest), 0.5));
}

const gelu = activation((site, dy) =>
  textOf(site.node, "approximate", "none") === "tanh"
    ? tanhGelu(site, site.input(0), dy)
    : exactGelu(site, dy),
);

/** ONNX Runtime's fused form: the tanh approximation of x plus a bias that may be left out. */
const fastGelu: Vjp = (site) => {
  const { write } = site;
  const x = () => (site.has(1) ? write.add(site.input(0), site.input(1)) : site.input(0));
  const dx = () => tanhGelu(site, x(), site.dy);
  return [dx, site.has(1) ? () => write.sumTo(dx(), site.input(1).dims) : null];
};

/** x sigmoid(alpha x) */
const quickGelu = activation(({ node, write, input }, dy) => {
  const x = input(0);
  const scaled = write.scale(x, floatOf(node, "alpha", 1.702));
  const gate = write.unary("Sigmoid", scaled);
  const closing = write.sub(write.scalar(1, x.dataType), gate);
  const slope = write.mul(gate, write.add(write.scalar(1, x.dataType), write.mul(scaled, closing)));
  return write.mul(dy, slope);
});

/** x tanh(softplus(x)) (Misra, 2019). */
const mish = activation(({ write, input }, dy) => {
  const x = input(0);
  const one = write.scalar(1, x.dataType);
  const t = write.unary("Tanh", write.unary("Softplus", x));
  const rest = write.mul(write.mul(x, write.unary("Sigmoid", x)), write.sub(one, write.mul(t, t)));
  return write.mul(dy, write.add(t, rest));
});

export const activations: Rules = {
  Relu: relu,
  LeakyRelu: leakyRelu,
  PRelu: pRelu,
  Elu: elu,
  Selu: selu,
  Sigmoid: sigmoid,
  Tanh: tanh,
  Softplus: softplus,
  Softsign: softsign,
  Clip: clip,
  HardSwish: hardSwish,
  HardSigmoid: hardSigmoid,
  Gelu: gelu,
  Mish: mish,
  "com.microsoft::Gelu": activation(exactGelu),
  "com.microsoft::FastGelu": fastGelu,
  "com.microsoft::QuickGelu": quickGelu,
};
