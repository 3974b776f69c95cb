// Gradients through quantisation, straight through: rounding counts as the identity where the value is
// within range, and as a constant where it was cut (Bengio et al., 2013; Jacob et al., 2018). The scale's
// gradient then is that of learned step sizes (Esser et al., LSQ, 2020, equation 3).
//
// The gradient by a quantised value is kept in float, by the integer that it holds.

import { intOf } from "../../../onnx/index.ts";
import type { Rules, Site, Vjp } from "./rule.ts";
import { axisFrom, type Value } from "./writer.ts";

/** Least and greatest integer of each type that values are quantised to. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  uint4: [0, 15],
  int4: [-8, 7],
};

/** One number an axis' element, laid along that axis of a tensor; a scalar stays one. */
function along({ write, node, fault }: Site, parameter: Value, rank: number): Value {
  if (parameter.dims.length === 0 || parameter.dims.every((dim) => dim === 1)) {
    return write.reshape(parameter, []);
  }
  if (intOf(node, "block_size", 0) !== 0) {
    throw fault("it quantises in blocks", "Quantise per tensor or per axis while training.");
  }
  const axis = axisFrom(intOf(node, "axis", 1), rank);
  return write.reshape(
    parameter,
    Array.from({ length: rank }, (_, at) => (at === axis ? (parameter.dims[0] ?? 1) : 1)),
  );
}

/** x / scale + zero point, and 1 where that is within the range of the type. */
function scaled(site: Site): {
  readonly ratio: Value;
  readonly inside: Value;
  readonly scale: Value;
} {
  const { write } = site;
  const x = site.input(0);
  const scale = along(site, site.input(1), x.dims.length);
  const { dataType } = site.output();
  const [least, most] = RANGES[dataType] ?? [-Infinity, Infinity];
  const ratio = write.div(x, scale);
  const shifted = site.has(2)
    ? write.add(ratio, write.cast(along(site, site.input(2), x.dims.length), x.dataType))
    : ratio;
  const inside = write.mul(
    write.indicator("GreaterOrEqual", shifted, write.scalar(least - 0.5, x.dataType)),
    write.indicator("LessOrEqual", shifted, write.scalar(most + 0.5, x.dataType)),
  );
  return { ratio, inside, scale };
}

/** q = round(x / s) + z, cut to the range. */
const quantizeLinear: Vjp = (site) => {
  const { write } = site;
  const { ratio, inside, scale } = scaled(site);
  const dq = site.upstream(0);
  if (dq === null) return [];
  const passed = write.mul(dq, inside);
  return [
    () => write.div(passed, scale),
    () => {
      const slope = write.unary("Neg", write.div(write.mul(passed, ratio), scale));
      return write.reshape(write.sumTo(slope, scale.dims), site.input(1).dims);
    },
    null,
  ];
};

/** x = (q - z) s */
const dequantizeLinear: Vjp = (site) => {
  const { write, dy } = site;
  const rank = dy.dims.length;
  const scale = along(site, site.input(1), rank);
  return [
    () => write.mul(dy, scale),
    () => {
      const steps = write.div(site.output(), scale);
      return write.reshape(write.sumTo(write.mul(dy, steps), scale.dims), site.input(1).dims);
    },
    null,
  ];
};

export const quantisations: Rules = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
};
