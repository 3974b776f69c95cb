// Building image networks for tests of counts: weights are declared with their shapes and lie in a file
// that does not exist, so that networks of any size take no memory.

import { type GraphBuilder, type Model, modelBuilder, type Tensor } from "../../src/onnx/index.ts";
import { operators } from "../operators.ts";

/** A stored tensor of float32 without elements to read. */
function declared(dims: readonly number[], place: number): Tensor {
  return {
    dims: dims.map(BigInt),
    dataType: "float32",
    data: {
      kind: "external",
      entries: [
        { key: "location", value: "weights.bin" },
        { key: "offset", value: String(place * 4096) },
      ],
    },
    metadata: [],
  };
}

export interface ConvOptions {
  readonly kernel: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly group?: number;
  /** Default: a bias. `norm` is a BatchNormalization in its place. */
  readonly after?: "bias" | "norm" | "nothing";
  readonly relu?: boolean;
}

interface PoolOptions {
  readonly kernel: number;
  readonly stride: number;
  readonly pad?: number;
  readonly ceil?: boolean;
}

/** A value with its number of channels. */
export interface Features {
  readonly value: string;
  readonly channels: number;
}

/** Layers over one graph. */
export interface Layers {
  conv(x: Features, filters: number, options: ConvOptions): Features;
  maxPool(x: Features, options: PoolOptions): Features;
  averagePool(x: Features, options: PoolOptions): Features;
  globalPool(x: Features): Features;
  concat(...xs: readonly Features[]): Features;
  /** Flattens what comes and multiplies it; `inputs` is its flattened size. */
  dense(x: Features, inputs: number, outputs: number, relu?: boolean): Features;
}

/** A network over one image, [1, channels, size, size]. */
export function imageNet(
  [channels, size]: readonly [number, number],
  build: (layers: Layers, image: Features) => Features,
): Model {
  const builder = modelBuilder({ operators });
  const image = builder.input("image", "float32", [1, channels, size, size]);
  const { value } = build(layersOf(builder), { value: image, channels });
  builder.output(value, { name: "scores" });
  return builder.finish();
}

function layersOf(graph: GraphBuilder): Layers {
  let places = 0;
  const weight = (name: string, dims: readonly number[]): string =>
    graph.initializer(name, declared(dims, places++));
  const pool = (type: string, { value, channels }: Features, options: PoolOptions): Features => {
    const { kernel, stride, pad = 0, ceil = false } = options;
    const attributes = {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      ceil_mode: ceil ? 1 : 0,
    };
    return { value: graph.op(type, [value], attributes), channels };
  };
  return {
    conv({ value, channels }, filters, options) {
      const { kernel, stride = 1, pad = 0, group = 1, after = "bias", relu = true } = options;
      const filter = weight("W", [filters, channels / group, kernel, kernel]);
      const bias = after === "bias" ? [weight("B", [filters])] : [];
      let y = graph.op("Conv", [value, filter, ...bias], {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: [pad, pad, pad, pad],
        group,
      });
      if (after === "norm") {
        const statistics = ["scale", "shift", "mean", "var"].map((of) => weight(of, [filters]));
        y = graph.op("BatchNormalization", [y, ...statistics]);
      }
      return { value: relu ? graph.op("Relu", [y]) : y, channels: filters };
    },
    maxPool: (x, options) => pool("MaxPool", x, options),
    averagePool: (x, options) => pool("AveragePool", x, options),
    globalPool: ({ value, channels }) => ({
      value: graph.op("GlobalAveragePool", [value]),
      channels,
    }),
    concat: (...xs) => ({
      value: graph.op(
        "Concat",
        xs.map(({ value }) => value),
        { axis: 1 },
      ),
      channels: xs.reduce((sum, { channels }) => sum + channels, 0),
    }),
    dense({ value }, inputs, outputs, relu = false) {
      const flat = graph.op("Flatten", [value]);
      const matrix = weight("W", [outputs, inputs]);
      const y = graph.op("Gemm", [flat, matrix, weight("B", [outputs])], { transB: 1 });
      return { value: relu ? graph.op("Relu", [y]) : y, channels: outputs };
    },
  };
}
