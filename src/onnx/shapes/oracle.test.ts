// ONNX Runtime as the judge: it runs real models with every value of the main graph made an output,
// and what it produced must be what was inferred, once the symbols stand for the sizes of the run.

import { readFileSync } from "node:fs";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import { modelFile, modelNames } from "../../../test/shared-data.ts";
import { memorySource } from "../byte-source.ts";
import { decodeModel } from "../decode.ts";
import { encodeModel } from "../encode.ts";
import type { Graph, Model, Node, ValueInfo } from "../model.ts";
import { type Size, soleAtom, symbolsOf } from "./dimension.ts";
import { substitute } from "./dimension-division.ts";
import { formatShape } from "./dimension-text.ts";
import { inferShapes } from "./infer.ts";
import type { InferredType } from "./inferred-type.ts";

type Sizes = Readonly<Record<string, readonly number[]>>;

interface Case {
  /** Shapes of the inputs, one entry a run. */
  readonly runs: readonly Sizes[];
  /** Values to feed, repeated; zeros where not named. */
  readonly values?: Readonly<Record<string, number>>;
  /** Weights of hundreds of megabytes are no outputs: what comes back is their shape. */
  readonly shapesOnly?: true;
}

const gpt2 = (batch: number, length: number, past: number): Sizes => ({
  input_ids: [batch, length],
  position_ids: [batch, length],
  attention_mask: [batch, past + length],
  ...Object.fromEntries([0, 1, 2, 3, 4].map((layer) => [`past_${layer}`, [2, batch, 4, past, 8]])),
});

const CASES: Readonly<Record<string, Case>> = {
  "basic_pitch_nmp.onnx": {
    runs: [1, 2].map((batch) => ({ "serving_default_input_2:0": [batch, 43844, 1] })),
  },
  "ch_PP-OCRv4_rec_infer.onnx": {
    runs: [{ x: [1, 3, 48, 320] }, { x: [2, 3, 48, 101] }, { x: [1, 3, 48, 38] }],
  },
  "ch_ppocr_mobile_v2.0_cls_infer.onnx": {
    runs: [{ x: [1, 3, 48, 192] }, { x: [2, 3, 37, 75] }],
  },
  "gtcrn_stream.onnx": {
    runs: [
      {
        mix: [1, 257, 1, 2],
        conv_cache: [2, 1, 16, 16, 33],
        tra_cache: [2, 3, 1, 1, 16],
        inter_cache: [2, 1, 33, 16],
      },
    ],
  },
  "light_densenet121.onnx": { runs: [{ data_0: [1, 3, 224, 224] }], shapesOnly: true },
  "light_resnet50.onnx": { runs: [{ "gpu_0/data_0": [1, 3, 224, 224] }], shapesOnly: true },
  "light_squeezenet.onnx": { runs: [{ data_0: [1, 3, 224, 224] }], shapesOnly: true },
  "light_vgg19.onnx": { runs: [{ data_0: [1, 3, 224, 224] }], shapesOnly: true },
  "magika_standard_v3_3.onnx": { runs: [{ bytes: [1, 2048] }, { bytes: [3, 2048] }] },
  "mnist_8.onnx": { runs: [{ Input3: [1, 1, 28, 28] }] },
  "silero_vad_v5.onnx": {
    runs: [
      { input: [1, 576], state: [2, 1, 128], sr: [] },
      { input: [2, 576], state: [2, 2, 128], sr: [] },
    ],
    values: { sr: 16000 },
  },
  "super_resolution_10.onnx": {
    runs: [{ input: [1, 1, 224, 224] }, { input: [2, 1, 224, 224] }],
  },
  "tiny_random_gpt2_past.onnx": {
    runs: [gpt2(1, 4, 0), gpt2(2, 1, 5), gpt2(2, 3, 2)],
    values: { attention_mask: 1 },
  },
  "ultraface_rfb_320.onnx": { runs: [{ input: [1, 3, 240, 320] }] },
};

const open = (name: string): { readonly model: Model; readonly graph: Graph } => {
  const model = decodeModel(memorySource(new Uint8Array(readFileSync(modelFile(name)))));
  if (model.graph === undefined) throw new Error(`${name} has no graph`);
  return { model, graph: model.graph };
};

const untyped = (name: string): ValueInfo => ({ name, metadata: [] });

/** Every value that a node gives as an output, or the shape of it. */
function observed(
  model: Model,
  graph: Graph,
  values: readonly string[],
  shapesOnly: boolean,
): Uint8Array {
  const shapes: readonly Node[] = values.map((name) => ({
    opType: "Shape",
    inputs: [name],
    outputs: [`${name}/shape`],
    attributes: [],
    metadata: [],
  }));
  const outputs = values.map((name) => untyped(shapesOnly ? `${name}/shape` : name));
  const nodes = shapesOnly ? [...graph.nodes, ...shapes] : graph.nodes;
  return encodeModel({ ...model, graph: { ...graph, nodes, outputs } });
}

function feed(graph: Graph, { values = {} }: Case, sizes: Sizes): Record<string, OrtTensor> {
  return Object.fromEntries(
    Object.entries(sizes).map(([name, dims]) => {
      const type = graph.inputs.find((input) => input.name === name)?.type;
      const elementType = type?.kind === "tensor" ? type.elementType : null;
      const count = dims.reduce((product, size) => product * size, 1);
      const value = values[name] ?? 0;
      switch (elementType) {
        case "int64":
          return [name, new OrtTensor("int64", new BigInt64Array(count).fill(BigInt(value)), dims)];
        case "int32":
          return [name, new OrtTensor("int32", new Int32Array(count).fill(value), dims)];
        default:
          return [name, new OrtTensor("float32", new Float32Array(count).fill(value || 0.5), dims)];
      }
    }),
  );
}

/** What the symbols of the inputs are in this run. */
function bindingsOf(
  types: ReadonlyMap<string, InferredType>,
  sizes: Sizes,
): Record<string, number> {
  const bindings: Record<string, number> = {};
  for (const [name, dims] of Object.entries(sizes)) {
    const type = types.get(name);
    const shape = type?.kind === "tensor" ? (type.shape ?? []) : [];
    for (const [axis, size] of shape.entries()) {
      const atom = soleAtom(size);
      if (atom?.kind === "symbol") bindings[atom.name] ??= dims[axis] ?? 0;
    }
  }
  return bindings;
}

/** A size of the run; a symbol that only the run could tell is bound by the first value that has it. */
function sizeInRun(size: Size, actual: number, bindings: Record<string, number>): Size {
  const bound = substitute(size, bindings);
  const atom = soleAtom(bound);
  if (atom?.kind === "symbol") bindings[atom.name] = actual;
  return substitute(bound, bindings);
}

const ORT_TYPES: Readonly<Record<string, string>> = {
  float32: "float32",
  int64: "int64",
  int32: "int32",
  bool: "bool",
};

describe.skipIf(modelNames.length === 0)("ONNX Runtime produces what was inferred", () => {
  const checked = { values: 0, runs: 0 };
  afterAll(() => console.log(`${checked.values} shapes checked in ${checked.runs} runs`));

  test("every model has a case", () => {
    expect(Object.keys(CASES).sort()).toEqual([...modelNames].sort());
  });

  test.each(Object.entries(CASES))(
    "%s",
    async (name, one) => {
      const { model, graph } = open(name);
      const inferred = inferShapes(model);
      expect(inferred.faults).toEqual([]);
      const values = [...new Set(graph.nodes.flatMap(({ outputs }) => outputs))].filter(
        (value) => value !== "",
      );
      const shapesOnly = one.shapesOnly ?? false;
      const session = await InferenceSession.create(observed(model, graph, values, shapesOnly), {
        graphOptimizationLevel: "disabled",
        executionMode: "sequential",
        intraOpNumThreads: 2,
        logSeverityLevel: 3,
      });
      for (const sizes of one.runs) {
        const results = await session.run(feed(graph, one, sizes));
        const bindings = bindingsOf(inferred.graph.values, sizes);
        checked.runs += 1;
        for (const value of values) {
          const result = results[shapesOnly ? `${value}/shape` : value];
          if (result === undefined) throw new Error(`no result "${value}"`);
          const actual = shapesOnly
            ? Array.from(result.data as BigInt64Array, Number)
            : [...result.dims];
          const type = inferred.graph.values.get(value);
          const shape = type?.kind === "tensor" ? type.shape : null;
          if (shape === null) throw new Error(`"${value}" was not inferred`);
          const inRun = shape.map((size, axis) => sizeInRun(size, actual[axis] ?? -1, bindings));
          expect(inRun, `${value} ${formatShape(shape)}`).toEqual(actual);
          if (!shapesOnly && type?.kind === "tensor")
            expect(ORT_TYPES[type.elementType ?? ""]).toBe(result.type);
          checked.values += 1;
        }
      }
      await session.release();
    },
    60_000,
  );

  test("nothing is left open in the 13 models without branches on data", () => {
    for (const name of modelNames.filter((other) => other !== "silero_vad_v5.onnx")) {
      expect(inferShapes(open(name).model).uninferred).toEqual([]);
    }
  });

  // Its branches squeeze axes that are 1 in some runs, so their ranks follow only from the input sizes.
  test("silero_vad_v5.onnx, told its sizes and rate, is inferred in every branch that runs", () => {
    const { model } = open("silero_vad_v5.onnx");
    const rates: readonly (readonly [number, number])[] = [
      [16000, 576],
      [8000, 288],
    ];
    for (const [rate, samples] of rates) {
      const { graph, faults, uninferred } = inferShapes(model, {
        inputs: { input: ["batch", samples], state: [2, "batch", 128], sr: [] },
        values: { sr: [rate] },
      });
      expect([faults, uninferred]).toEqual([[], []]);
      const shape = (name: string): string => {
        const type = graph.values.get(name);
        return type?.kind === "tensor" ? formatShape(type.shape) : "?";
      };
      expect([shape("output"), shape("stateN")]).toEqual(["[batch, 1]", "[2, batch, 128]"]);
    }
  });

  test("every size follows from the sizes of the inputs alone", () => {
    for (const name of modelNames.filter((other) => other !== "silero_vad_v5.onnx")) {
      const { graph } = open(name);
      const { values } = inferShapes(open(name).model).graph;
      const named = new Set<string>();
      for (const { name: input } of graph.inputs) {
        const type = values.get(input);
        if (type?.kind === "tensor") for (const size of type.shape ?? []) symbolsOf(size, named);
      }
      for (const [value, type] of values) {
        const shape = type.kind === "tensor" ? (type.shape ?? []) : [];
        const used = shape.flatMap((size) => [...symbolsOf(size)]);
        expect(
          used.filter((symbol) => !named.has(symbol)),
          `${name}: ${value}`,
        ).toEqual([]);
      }
    }
  });
});
