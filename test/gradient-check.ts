// Checks gradients against central finite differences of the forward pass. The differences are taken in
// float64 where ONNX Runtime has such kernels; elsewhere in float32, by the five-point formula with a
// wide step, and the sum that is differentiated is taken in float64 outside of the graph.

import { expect } from "vitest";
import { createRandom, type Random } from "../src/core/index.ts";
import { createSession, type Session, type TensorValue } from "../src/engine/index.ts";
import { differentiate } from "../src/models/train/differentiate.ts";
import type { LoweringOptions } from "../src/models/train/vjp/lowering.ts";
import {
  type DataType,
  extendModel,
  type GraphBuilder,
  type Model,
  modelBuilder,
} from "../src/onnx/index.ts";
import { operators } from "./operators.ts";

/** An input that gradients are taken by. */
interface CheckedInput {
  readonly dims: readonly number[];
  /** Values to draw from: normal numbers, numbers from 0.5 to 2, or normal ones at least 0.25 apart. */
  readonly values?: "normal" | "positive" | "apart" | readonly number[];
}

export interface GradientCase {
  readonly inputs: Readonly<Record<string, CheckedInput>>;
  /** Inputs that are fed but not differentiated by. */
  readonly constants?: Readonly<Record<string, TensorValue>>;
  /** Builds the operator from its inputs, in the type that is asked for; gives what is checked. */
  build(g: GraphBuilder, dataType: DataType): string | readonly string[];
  readonly lowerings?: LoweringOptions;
  readonly seed?: number;
  /** Whether differences are taken in float32 even where there is a kernel for float64. */
  readonly single?: boolean;
  /** Default: 21. */
  readonly opset?: number;
  /** Width of a step in float32. Default: 0.05. */
  readonly step?: number;
}

/** Elements of each input that are looked at. */
const MOST_ELEMENTS = 10;

/** Largest difference, relative to the larger of the derivative and the typical derivative. */
const TOLERANCE = 1e-3;

/** Fails when a gradient is not the slope of the operator. */
export async function checkGradients(of: GradientCase): Promise<void> {
  const random = createRandom(of.seed ?? 1);
  const values = Object.fromEntries(
    Object.entries(of.inputs).map(([name, input]) => [name, draw(input, random)]),
  );
  const forward = forwardModel(of, "float32");
  const { model, sizes } = await withProjection(forward, of, values, random);
  const gradients = await gradientsOf(model, of, values);
  const slopes = await slopesOf(of, { values, random, sizes });
  for (const [name, list] of slopes) {
    const typical = Math.hypot(...list.map(({ slope }) => slope)) / Math.sqrt(list.length);
    const gradient = gradients[name];
    expect(gradient?.dims, `sizes of the gradient by ${name}`).toEqual(of.inputs[name]?.dims);
    for (const { index, slope } of list) {
      const found = Number(gradient?.data[index]);
      const allowed = TOLERANCE * Math.max(Math.abs(slope), typical) + 1e-6;
      const text = `d/d${name}[${index}]: gradient ${found}, difference quotient ${slope}`;
      expect(Math.abs(found - slope), text).toBeLessThanOrEqual(allowed);
    }
  }
}

type Values = Readonly<Record<string, readonly number[]>>;

function forwardModel(of: GradientCase, dataType: DataType): Model {
  const g = modelBuilder({ operators, ...(of.opset && { opsets: { "": of.opset } }) });
  for (const [name, { dims }] of Object.entries(of.inputs)) g.input(name, dataType, dims);
  for (const [name, { dims, dataType: own }] of Object.entries(of.constants ?? {})) {
    g.input(name, own, dims);
  }
  const built = of.build(g, dataType);
  const outputs = typeof built === "string" ? [built] : built;
  for (const [index, output] of outputs.entries()) g.output(output, { name: `y${index}` });
  return g.finish();
}

/** The forward pass, a fixed random projection of its outputs, and its gradients as outputs. */
async function withProjection(
  forward: Model,
  of: GradientCase,
  values: Values,
  random: Random,
): Promise<{ readonly model: Model; readonly sizes: Sizes }> {
  const session = await createSession(forward, { threads: 1, optimisation: "basic" });
  const outputs = await session.run(feedsOf(of, values, "float32"));
  await session.close();
  const g = extendModel(forward, { operators });
  const sizes: Record<string, readonly number[]> = {};
  const terms = Object.entries(outputs).map(([name, { dims, data }]) => {
    const weights = Array.from({ length: data.length }, () => random.normal());
    sizes[name] = weights;
    const projection = g.constant("float32", { dims, values: weights });
    const none = g.constant("int64", { dims: [0], values: [] });
    return g.op("ReduceSum", [g.op("Mul", [name, projection]), none], { keepdims: 0 });
  });
  const total = terms.length === 1 ? (terms[0] ?? "") : g.op("Sum", terms);
  g.output(total, { name: "loss" });
  return { model: g.finish(), sizes };
}

/** The weights of each output in the sum that is differentiated. */
type Sizes = Readonly<Record<string, readonly number[]>>;

async function gradientsOf(
  model: Model,
  of: GradientCase,
  values: Values,
): Promise<Readonly<Record<string, TensorValue>>> {
  const parameters = Object.keys(of.inputs);
  const { model: both, gradients } = differentiate(model, {
    operators,
    loss: "loss",
    parameters,
    ...(of.lowerings && { lowerings: of.lowerings }),
  });
  const g = extendModel(both, { operators });
  for (const [name, gradient] of gradients) g.output(gradient, { name: `d/${name}` });
  const session = await createSession(g.finish(), { threads: 1 });
  const wanted = parameters.map((name) => `d/${name}`);
  const results = await session.run(feedsOf(of, values, "float32"), { outputs: wanted });
  await session.close();
  return Object.fromEntries(
    parameters.flatMap((name) => {
      const result = results[`d/${name}`];
      return result === undefined ? [] : [[name, result]];
    }),
  );
}

interface Slope {
  readonly index: number;
  readonly slope: number;
}

async function slopesOf(
  of: GradientCase,
  { values, random, sizes }: { values: Values; random: Random; sizes: Sizes },
): Promise<ReadonlyMap<string, readonly Slope[]>> {
  const { session, dataType } = await reference(of, values);
  const exact = dataType === "float64";
  const step = exact ? 1e-4 : (of.step ?? 0.05);
  const lossAt = async (name: string, index: number, by: number): Promise<number> => {
    const moved = (values[name] ?? []).map((value, at) => (at === index ? value + by : value));
    const outputs = await session.run(feedsOf(of, { ...values, [name]: moved }, dataType));
    return Object.entries(outputs).reduce((sum, [output, { data }]) => {
      const weights = sizes[output] ?? [];
      return sum + weights.reduce((part, weight, at) => part + weight * Number(data[at]), 0);
    }, 0);
  };
  const slopes = new Map<string, Slope[]>();
  for (const [name, list] of Object.entries(values)) {
    const found: Slope[] = [];
    for (const index of chosen(list.length, random)) {
      const at = (by: number) => lossAt(name, index, by);
      const near = (await at(step)) - (await at(-step));
      // Abramowitz & Stegun, 25.3.21 and 25.3.24.
      const slope = exact
        ? near / (2 * step)
        : (8 * near - (await at(2 * step)) + (await at(-2 * step))) / (12 * step);
      found.push({ index, slope });
    }
    slopes.set(name, found);
  }
  await session.close();
  return slopes;
}

/** The forward pass in float64 where there are kernels for it. */
async function reference(
  of: GradientCase,
  values: Values,
): Promise<{ readonly session: Session; readonly dataType: "float32" | "float64" }> {
  const open = async (dataType: "float32" | "float64") => {
    const model = forwardModel(of, dataType);
    const session = await createSession(model, { threads: 1, optimisation: "basic" });
    return { session, dataType };
  };
  if (of.single) return open("float32");
  try {
    const exact = await open("float64");
    // Some kernels say only when they run that they are for float32.
    await exact.session.run(feedsOf(of, values, "float64"));
    return exact;
  } catch {
    return open("float32");
  }
}

function feedsOf(
  of: GradientCase,
  values: Values,
  dataType: "float32" | "float64",
): Readonly<Record<string, TensorValue>> {
  const arrays = { float32: Float32Array, float64: Float64Array };
  const fed = Object.entries(of.inputs).map(([name, { dims }]) => [
    name,
    { dataType, dims, data: arrays[dataType].from(values[name] ?? []) },
  ]);
  return { ...of.constants, ...Object.fromEntries(fed) };
}

function draw({ dims, values = "normal" }: CheckedInput, random: Random): readonly number[] {
  if (typeof values !== "string") return values;
  const size = dims.reduce((product, dim) => product * dim, 1);
  // Rounded to float32, so that both precisions start from the same point.
  const list = Array.from({ length: size }, (_, index) => {
    if (values === "apart") return (index - size / 2 + 0.5) * 0.25;
    return Math.fround(values === "positive" ? 0.5 + 1.5 * random.uniform() : random.normal());
  });
  return values === "apart" ? shuffled(list, random) : list;
}

function shuffled(list: readonly number[], random: Random): readonly number[] {
  const keyed = list.map((value) => ({ value, key: random.uniform() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
}

function chosen(length: number, random: Random): readonly number[] {
  const all = Array.from({ length }, (_, index) => index);
  return length <= MOST_ELEMENTS ? all : shuffled(all, random).slice(0, MOST_ELEMENTS);
}
