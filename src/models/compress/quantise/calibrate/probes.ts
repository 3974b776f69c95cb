// What calibration wants to know of activations, computed inside the graph: extremes, and elements spread
// evenly over each value. Values themselves stay in the engine, where looking at them costs a fraction of
// what it costs to hand all of them out.

import { isTensorValue } from "../../../../engine/index.ts";
import { extendModel, type GraphBuilder, inferShapes, type Model } from "../../../../onnx/index.ts";
import { greatestDivisor } from "../../greatest-divisor.ts";
import type { Feeds, PassContext } from "../../pass.ts";

/** Elements of a value that a run hands out at most. */
const MOST_ELEMENTS = 2 ** 14;

/** A model with further outputs, and what each of them tells of which value. */
export interface Probed<What> {
  readonly model: Model;
  readonly outputs: ReadonlyMap<string, { readonly value: string } & What>;
}

/** Numbers of elements of values of 32-bit floats, where they can be told from the inputs of a run. */
export type Sizes = ReadonlyMap<string, number>;

/** Sizes for some inputs; values that are empty, or of a size that depends on the data, are left out. */
export function sizesOf(model: Model, values: readonly string[], feeds: Feeds): Sizes {
  const inputs = Object.fromEntries(
    Object.entries(feeds).flatMap(([name, feed]) =>
      isTensorValue(feed) ? [[name, feed.dims] as const] : [],
    ),
  );
  const { graph } = inferShapes(model, { inputs });
  const sizes = new Map<string, number>();
  for (const name of values) {
    const type = graph.values.get(name);
    if (type?.kind !== "tensor" || type.elementType !== "float32") continue;
    const size = (type.shape ?? [Number.NaN]).reduce<number>((a, b) => a * Number(b), 1);
    if (size > 0) sizes.set(name, size);
  }
  return sizes;
}

/** What is told of a whole value by one number. `sum` is not finite where any element is NaN. */
export type Extreme = "min" | "max" | "sum";

const REDUCTIONS: Readonly<Record<Extreme, string>> = {
  min: "ReduceMin",
  max: "ReduceMax",
  sum: "ReduceSum",
};

/** The model with least element, largest element and sum of each value as outputs. */
export const withExtremes = (
  model: Model,
  values: readonly string[],
  context: PassContext,
): Probed<{ readonly extreme: Extreme }> =>
  probed(model, context, (graph) =>
    values.flatMap((value) =>
      (Object.keys(REDUCTIONS) as Extreme[]).map((extreme) => ({
        ...{ value, extreme },
        output: graph.op(REDUCTIONS[extreme], [value], { keepdims: 0 }),
      })),
    ),
  );

/** The model with elements of each value as outputs; each stands for as many as its stride. */
export const withElements = (
  model: Model,
  sizes: Sizes,
  context: PassContext,
): Probed<{ readonly stride: number }> =>
  probed(model, context, (graph) =>
    [...sizes].map(([value, size]) => {
      const stride = strideOf(size);
      const ints = (...of: number[]): string =>
        graph.constant("int64", { dims: [of.length], values: of.map(BigInt) });
      const flat = graph.op("Reshape", [value, ints(-1)]);
      if (stride === 1) return { value, stride, output: flat };
      const inputs = [flat, ints(0), ints(2 ** 31 - 1), ints(0), ints(stride)];
      return { value, stride, output: graph.op("Slice", inputs) };
    }),
  );

/** The least stride that leaves few enough elements, and falls on all columns and channels alike. */
function strideOf(size: number): number {
  let stride = Math.ceil(size / MOST_ELEMENTS);
  while (greatestDivisor(size, stride) > 1) stride++;
  return stride;
}

function probed<What>(
  model: Model,
  { operators }: PassContext,
  probe: (graph: GraphBuilder) => readonly ({ value: string; output: string } & What)[],
): Probed<What> {
  const builder = extendModel(model, { operators });
  const outputs = new Map<string, { readonly value: string } & What>();
  for (const { output, ...what } of probe(builder.scope("probe"))) {
    outputs.set(output, what as { readonly value: string } & What);
    builder.output(output);
  }
  return { model: builder.finish(), outputs };
}
