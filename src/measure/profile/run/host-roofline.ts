// What this host reaches at most, measured with the engine that runs the models: a large matrix product
// for FLOP/s, a sum of vectors larger than any cache for bytes a second. Measured once and kept.

import { profileModel, type Runtime, type TensorValue } from "../../../engine/index.ts";
import type { Model, Node } from "../../../onnx/index.ts";
import type { Roofline } from "../roofline.ts";

/** Where measurements are kept between runs. */
interface TextStore {
  read(key: string): Promise<string | null>;
  write(key: string, text: string): Promise<void>;
}

export interface HostRooflineOptions {
  readonly threads: number;
  /** What tells this machine and engine from others. */
  readonly machine: string;
  readonly store: TextStore;
  readonly runtime?: Runtime;
}

/** Rows and columns: 2 GFLOP a product, some milliseconds on a core. */
const ORDER = 1024;
/** Elements of each of three vectors: 3 x 64 MiB. */
const LENGTH = 1 << 24;
/** The fastest counts: enough runs for one that nothing disturbs. */
const RUNS = 24;

/** The host's roofline for so many threads, measured when it was not before. */
export async function hostRoofline(options: HostRooflineOptions): Promise<Roofline> {
  const { store } = options;
  const key = keyOf(options);
  const kept = parse(await store.read(key));
  if (kept !== null) return kept;
  const matrix = (): TensorValue => filled([ORDER, ORDER]);
  const vector = (): TensorValue => filled([LENGTH]);
  const product = await leastTime("MatMul", { a: matrix(), b: matrix() }, options);
  const sum = await leastTime("Add", { a: vector(), b: vector() }, options);
  const measured: Roofline = {
    peakFlops: (2 * ORDER ** 3) / product,
    bandwidth: (3 * 4 * LENGTH) / sum,
  };
  await store.write(key, JSON.stringify(measured));
  return measured;
}

/** Shorter kernels say nothing: their time is known to a microsecond. */
const LEAST_TIME = 1e-4;

/**
 * The roofline raised to what kernels of a real run reached: a peak that was measured while the machine
 * was busy is too low. Bandwidth is not raised, because what is read twice may come from a cache.
 */
export async function raiseRoofline(
  roofline: Roofline,
  kernels: readonly { readonly flops: number | null; readonly time: number }[],
  options: HostRooflineOptions,
): Promise<Roofline> {
  const rates = kernels.map(({ flops, time }) => (time < LEAST_TIME ? 0 : (flops ?? 0) / time));
  const peakFlops = Math.max(roofline.peakFlops, ...rates);
  if (peakFlops === roofline.peakFlops) return roofline;
  const raised = { ...roofline, peakFlops };
  await options.store.write(keyOf(options), JSON.stringify(raised));
  return raised;
}

const keyOf = ({ machine, threads }: HostRooflineOptions): string =>
  `godwit.roofline/1 ${machine} ${threads} threads`;

function parse(text: string | null): Roofline | null {
  if (text === null) return null;
  try {
    const { peakFlops, bandwidth } = JSON.parse(text) as Partial<Roofline>;
    return peakFlops !== undefined && bandwidth !== undefined && peakFlops > 0 && bandwidth > 0
      ? { peakFlops, bandwidth }
      : null;
  } catch {
    // What cannot be read is measured again.
    return null;
  }
}

const filled = (dims: readonly number[]): TensorValue => ({
  dataType: "float32",
  dims,
  data: new Float32Array(dims.reduce((product, size) => product * size, 1)).fill(0.5),
});

/** Seconds of the fastest of several runs of one node. */
async function leastTime(
  opType: string,
  feeds: Readonly<Record<string, TensorValue>>,
  { threads, runtime }: HostRooflineOptions,
): Promise<number> {
  const node: Node = { opType, inputs: ["a", "b"], outputs: ["y"], attributes: [], metadata: [] };
  const type = (name: string, { dims }: TensorValue) => ({
    name,
    metadata: [],
    type: {
      kind: "tensor" as const,
      elementType: "float32" as const,
      shape: dims.map((value) => ({ value: BigInt(value) })),
    },
  });
  const model: Model = {
    irVersion: 8n,
    opsetImports: [{ domain: "", version: 17n }],
    metadata: [],
    functions: [],
    graph: {
      name: "roofline",
      nodes: [node],
      initializers: [],
      sparseInitializers: [],
      inputs: Object.entries(feeds).map(([name, value]) => type(name, value)),
      outputs: Object.entries(feeds)
        .slice(0, 1)
        .map(([, value]) => type("y", value)),
      valueInfos: [],
      metadata: [],
    },
  };
  const { nodes } = await profileModel(model, feeds, {
    threads,
    runs: RUNS,
    warmUp: 2,
    ...(runtime === undefined ? {} : { runtime }),
  });
  const [timed] = nodes;
  if (timed === undefined || timed.least <= 0) throw new TypeError(`no time of ${opType}`);
  return timed.least;
}
