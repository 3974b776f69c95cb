// Cases of opset upgrades: a model of an old opset, and whether a changed model computes the same.

import type { Tensor as OrtTensor } from "onnxruntime-node";
import { expect } from "vitest";
import type { AttributeValues } from "../src/onnx/attribute-from.ts";
import { modelBuilder } from "../src/onnx/builder.ts";
import type { GraphBuilder } from "../src/onnx/graph-builder.ts";
import type { Model } from "../src/onnx/model.ts";
import { randomFloats, runModel, type Values } from "./onnx-runtime.ts";
import { operators } from "./operators.ts";

/** A model of an old opset and what to run it on. */
export interface UpgradeCase {
  readonly opset: number;
  /** Dimensions of float inputs by name; all are named `x` unless told otherwise. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  build(g: GraphBuilder): void;
  /** Operators that must have changed, in order; none for versions that only widen. */
  readonly became: readonly string[];
  /** Inputs that are not random. */
  readonly fixed?: Values;
  /** Largest allowed difference; none unless the new kernel adds in another order. */
  readonly tolerance?: number;
}

/** One node on `x` whose outputs are all outputs of the graph. */
export function node(
  type: string,
  attributes: AttributeValues = {},
  options: { readonly outputs?: number; readonly inputs?: (g: GraphBuilder) => string[] } = {},
): (g: GraphBuilder) => void {
  return (g) => {
    const inputs = ["x", ...(options.inputs?.(g) ?? [])];
    const { outputs = 1 } = options;
    g.ops(type, inputs, { outputs, attributes }).forEach((value, index) => {
      g.output(value, { name: `y${index}` });
    });
  };
}

export const floats =
  (...values: number[]) =>
  (g: GraphBuilder) => [g.constant("float32", { dims: [values.length], values })];
export const ints =
  (...lists: readonly number[][]) =>
  (g: GraphBuilder) =>
    lists.map((values) => g.constant("int64", { dims: [values.length], values }));

export const x = (...dims: readonly number[]) => ({ x: dims });
export function modelOf({ opset, inputs, build }: UpgradeCase): Model {
  const g = modelBuilder({ operators, opsets: { "": opset } });
  for (const [name, dims] of Object.entries(inputs)) g.input(name, "float32", dims);
  build(g);
  return g.finish();
}

/** The largest difference of two results; NaN equals NaN. */
function farthest(now: OrtTensor["data"] | undefined, before: OrtTensor["data"]): number {
  if (now?.length !== before.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let index = 0; index < before.length; index++) {
    const [a, b] = [now[index], before[index]];
    if (!Object.is(a, b)) most = Math.max(most, Math.abs(Number(a) - Number(b)));
  }
  return most;
}

export async function expectSame(
  before: Model,
  after: Model,
  { inputs, fixed, tolerance = 0 }: UpgradeCase,
): Promise<void> {
  for (const seed of [1, 2, 3]) {
    const random = Object.entries(inputs).map(([name, dims], index): [string, OrtTensor] => [
      name,
      randomFloats(dims, seed * 100 + index),
    ]);
    const values = { ...Object.fromEntries(random), ...fixed };
    const [old, now] = [await runModel(before, values), await runModel(after, values)];
    expect(Object.keys(now)).toEqual(Object.keys(old));
    for (const [name, { dims, type, data }] of Object.entries(old)) {
      expect({ dims: now[name]?.dims, type: now[name]?.type }).toEqual({ dims, type });
      expect(farthest(now[name]?.data, data), name).toBeLessThanOrEqual(tolerance);
    }
  }
}
