// Faults that a pass could have, put into its result by hand: each must be caught by the verification.

import { beforeAll, describe, expect, test } from "vitest";
import { operators } from "../../../../test/operators.ts";
import { smallPictures, smallVisionNet } from "../../../../test/small-vision.ts";
import { createSession, nativeRuntime } from "../../../engine/index.ts";
import { elementsOf, type Model, type Tensor, tensorOf } from "../../../onnx/index.ts";
import { agreement, allRows, type Dataset } from "../../data/index.ts";
import type { PassContext } from "../pass.ts";
import { prune } from "../prune/index.ts";
import { quantiseStatic } from "../quantise/index.ts";
import { batchesOf, type Samples, samplesFor, withRows } from "./samples.ts";
import { verify } from "./verify.ts";

const ROWS = 300;
const net = smallVisionNet();
const data: Dataset = smallPictures(ROWS, null);
const judge = { metric: agreement, truth: null };
let samples: Samples;
let context: PassContext;
let int8: Model;

beforeAll(async () => {
  const session = await createSession(net);
  await session.close();
  samples = withRows(samplesFor(data, session.inputs, { batch: 32 }), allRows(ROWS));
  context = {
    ...{ operators, runtime: nativeRuntime(), seed: 1 },
    async *calibration() {
      for await (const { feeds } of batchesOf(withRows(samples, allRows(32)))) yield feeds;
    },
  };
  int8 = (await quantiseStatic.apply(net, context, undefined)).model;
});

/** The model with the initializers that a test picks changed. */
function mutated(
  model: Model,
  isPicked: (tensor: Tensor) => boolean,
  change: (values: Float64Array, dims: readonly number[]) => Float64Array,
): Model {
  const graph = model.graph as NonNullable<Model["graph"]>;
  let picked = 0;
  const initializers = graph.initializers.map((tensor): Tensor => {
    if (picked > 0 || !isPicked(tensor)) return tensor;
    picked++;
    const dims = tensor.dims.map(Number);
    const values = change(Float64Array.from(elementsOf(tensor) as Float32Array, Number), dims);
    return { ...tensor, ...tensorOf(tensor.dataType as "float32", { dims, values: [...values] }) };
  });
  expect(picked).toBe(1);
  return { ...model, graph: { ...graph, initializers } };
}

const check = (model: Model) => verify(net, model, { samples, judge }, { margin: 0.1 });

/** The tensors that a quantised model reads at an input of its nodes of a kind. */
const readBy = (model: Model, opType: string, input: number): ReadonlySet<string> =>
  new Set(
    (model.graph?.nodes ?? [])
      .filter((node) => node.opType === opType)
      .map((node) => node.inputs[input] ?? ""),
  );

describe("a verification catches", () => {
  test("nothing in what the pass really made", async () => {
    expect(await check(int8)).toMatchObject({ verdict: "shown", faults: [] });
  });

  test("a corrupted scale", async () => {
    const scales = readBy(int8, "QuantizeLinear", 1);
    const wrong = mutated(
      int8,
      ({ name }) => scales.has(name ?? ""),
      (values) => values.map((of) => of / 8),
    );
    expect((await check(wrong)).verdict).toBe("not-shown");
  });

  test("a corrupted zero point", async () => {
    const points = readBy(int8, "DequantizeLinear", 2);
    const isPoint = ({ name, dataType }: Tensor): boolean =>
      points.has(name ?? "") && dataType === "uint8";
    const wrong = mutated(int8, isPoint, (values) => values.map((of) => (of + 100) % 256));
    expect((await check(wrong)).verdict).toBe("not-shown");
  });

  test("a corrupted index map: channels of a consumer in another order", async () => {
    const { model: thin } = await prune.apply(net, context, { ratio: 0, align: 16 });
    const isConsumer = ({ dims }: Tensor): boolean => dims.length === 4 && Number(dims[1]) === 32;
    const wrong = mutated(thin, isConsumer, (values, dims) => {
      const [outputs = 0, inputs = 0, height = 0, width = 0] = dims;
      const plane = height * width;
      return values.map((_, at) => {
        const channel = Math.floor(at / plane) % inputs;
        const moved = (channel + 1) % inputs;
        return values[at + (moved - channel) * plane] ?? outputs;
      });
    });
    expect((await check(wrong)).verdict).toBe("not-shown");
  });
});
