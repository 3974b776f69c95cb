// Gradients of element-wise arithmetic. Operands broadcast, so that each gradient is summed back to
// its operand's sizes.

import type { Gradient, Rules, Site, Vjp } from "./rule.ts";
import type { Value } from "./writer.ts";

/** The derivative of a function of one operand, times the gradient of its result. */
const unary =
  (derivative: (site: Site, dy: Value) => Value): Vjp =>
  (site) => [() => derivative(site, site.dy)];

/** An operator without slope wherever it has a derivative. */
const flat: Vjp = () => [];

const sumTo =
  (site: Site, index: number, gradient: () => Value): Gradient =>
  () =>
    site.write.sumTo(gradient(), site.input(index).dims);

const add: Vjp = (site) => site.node.inputs.map((_, index) => sumTo(site, index, () => site.dy));

const sub: Vjp = (site) => [
  sumTo(site, 0, () => site.dy),
  () => site.write.unary("Neg", site.write.sumTo(site.dy, site.input(1).dims)),
];

const mul: Vjp = (site) => [
  sumTo(site, 0, () => site.write.mul(site.dy, site.input(1))),
  sumTo(site, 1, () => site.write.mul(site.dy, site.input(0))),
];

/** d(a/b)/db = -y/b. */
const div: Vjp = (site) => {
  const { write, dy } = site;
  return [
    sumTo(site, 0, () => write.div(dy, site.input(1))),
    sumTo(site, 1, () =>
      write.unary("Neg", write.div(write.mul(dy, site.output()), site.input(1))),
    ),
  ];
};

const mean: Vjp = (site) =>
  site.node.inputs.map((_, index) =>
    sumTo(site, index, () => site.write.scale(site.dy, 1 / site.node.inputs.length)),
  );

/** a^b; the gradient by b is 0 where a is not positive, as y log(a) has no value there. */
const pow: Vjp = (site) => {
  const { write, dy } = site;
  const [a, b] = [site.input(0), site.input(1)];
  const byBase = (): Value => {
    const exponent = write.cast(b, a.dataType);
    const one = write.scalar(1, a.dataType);
    const slope = write.mul(exponent, write.binary("Pow", a, write.sub(exponent, one)));
    return write.mul(dy, slope);
  };
  const byExponent = (): Value => {
    const zero = write.scalar(0, a.dataType);
    const positive = write.compare("Greater", a, zero);
    const base = write.where(positive, a, write.scalar(1, a.dataType));
    return write.mul(dy, write.mul(site.output(), write.unary("Log", base)));
  };
  return [sumTo(site, 0, byBase), sumTo(site, 1, byExponent)];
};

/** The extreme of several operands; operands that share it share the gradient equally. */
const extreme: Vjp = (site) => {
  const { write, dy, node } = site;
  const [only] = node.inputs;
  if (node.inputs.length === 1 && only !== undefined) return [() => dy];
  const y = site.output();
  const hits = node.inputs.map((_, index) =>
    write.indicator("Equal", write.expand(site.input(index), y.dims), y),
  );
  const count = hits.reduce((sum, hit) => write.add(sum, hit));
  const share = write.div(dy, count);
  return hits.map((hit, index) => sumTo(site, index, () => write.mul(share, hit)));
};

/** The picked operand takes the gradient. */
const where: Vjp = (site) => {
  const { write, dy } = site;
  const zero = () => write.scalar(0, dy.dataType);
  return [
    null,
    sumTo(site, 1, () => write.where(site.input(0), dy, zero())),
    sumTo(site, 2, () => write.where(site.input(0), zero(), dy)),
  ];
};

/** 2 / sqrt(pi) */
const ERF_SLOPE = 2 / Math.sqrt(Math.PI);

export const arithmetic: Rules = {
  Add: add,
  Sum: add,
  Sub: sub,
  Mul: mul,
  Div: div,
  Mean: mean,
  Pow: pow,
  Min: extreme,
  Max: extreme,
  Where: where,
  Neg: unary(({ write }, dy) => write.unary("Neg", dy)),
  Exp: unary((site, dy) => site.write.mul(dy, site.output())),
  Log: unary((site, dy) => site.write.div(dy, site.input(0))),
  Sqrt: unary(({ write, output }, dy) => write.div(write.scale(dy, 0.5), output())),
  Reciprocal: unary(({ write, output }, dy) => {
    const y = output();
    return write.unary("Neg", write.mul(dy, write.mul(y, y)));
  }),
  Abs: unary(({ write, input }, dy) => write.mul(dy, write.unary("Sign", input(0)))),
  Sin: unary(({ write, input }, dy) => write.mul(dy, write.unary("Cos", input(0)))),
  Cos: unary(({ write, input }, dy) =>
    write.unary("Neg", write.mul(dy, write.unary("Sin", input(0)))),
  ),
  Erf: unary(({ write, input }, dy) => {
    const x = input(0);
    const bell = write.unary("Exp", write.unary("Neg", write.mul(x, x)));
    return write.mul(dy, write.scale(bell, ERF_SLOPE));
  }),
  Identity: unary((_, dy) => dy),
  Cast: unary((site, dy) => site.write.cast(dy, site.input(0).dataType)),
  Sign: flat,
  Floor: flat,
  Ceil: flat,
  Round: flat,
};
