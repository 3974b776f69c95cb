// The engines that run graphs, as plain objects: ONNX Runtime's native library, and the same compiled
// to WebAssembly for platforms without one.
//
// A WebGPU target would be a third such object. It is left out until it can be checked on a GPU: as of
// ONNX Runtime 1.30 it needs the layout NCHW (convolutions of 6 channels come out wrong in NHWC), has
// no MaxPool indices and no training-mode BatchNormalization, and must compare its first step with
// the CPU's.

import { reasonOf, UserError } from "../core/index.ts";
import type { Binding, BindingOptions, BindingSession, BindingTensor } from "./binding.ts";
import type { TensorValue } from "./tensor-value.ts";

export type RuntimeName = "onnxruntime-node" | "onnxruntime-web";

export interface Runtime {
  readonly name: RuntimeName;
  /** Loads the package on first use. Throws UserError with the install command when that fails. */
  load(): Promise<Binding>;
}

/** Brings a package, as `import()` does. A test hands in its own. */
export type ImportPackage = (name: string) => Promise<unknown>;

const importPackage: ImportPackage = (name) => import(name);

/** What both packages export. */
interface OrtPackage {
  readonly env: {
    readonly versions: Readonly<Record<string, string | undefined>>;
    readonly wasm: { numThreads?: number };
  };
  readonly InferenceSession: {
    create(model: Uint8Array | string, options: BindingOptions): Promise<BindingSession>;
  };
  readonly Tensor: new (
    type: string,
    data: TensorValue["data"],
    dims: readonly number[],
  ) => BindingTensor;
}

/** Native code, on all cores that it is given. */
export function nativeRuntime(load: ImportPackage = importPackage): Runtime {
  const name = "onnxruntime-node";
  return {
    name,
    async load() {
      const ort = await loadPackage(name, load);
      return {
        version: ort.env.versions["node"] ?? ort.env.versions["common"] ?? "unknown",
        opensFiles: true,
        threads: (wanted) => wanted,
        // Its binding (1.30) cannot see the memory of Node 24's Float16Array, which its Tensor insists on.
        writesInto: (dataType) => dataType !== "float16" && dataType !== "string",
        create: (model, options) => ort.InferenceSession.create(model, options),
        tensor: (value) => (value.dataType === "float16" ? plain(value) : tensorOf(ort, value)),
      };
    },
  };
}

/** WebAssembly: the same graphs, on one thread, two to four times slower than native code. */
export function wasmRuntime(load: ImportPackage = importPackage): Runtime {
  const name = "onnxruntime-web";
  return {
    name,
    async load() {
      const ort = await loadPackage(name, load);
      // Its own threads made every model slower in Node (1.30).
      ort.env.wasm.numThreads = 1;
      return {
        version: ort.env.versions["web"] ?? ort.env.versions["common"] ?? "unknown",
        opensFiles: false,
        threads: () => 1,
        // It accepts arrays for outputs and leaves them as they were (1.30).
        writesInto: () => false,
        create: (model, options) =>
          ort.InferenceSession.create(model, { ...options, executionProviders: ["wasm"] }),
        tensor: (value) => (value.dataType === "float16" ? plain(value) : tensorOf(ort, value)),
      };
    },
  };
}

const tensorOf = (ort: OrtPackage, { dataType, data, dims }: TensorValue): BindingTensor =>
  new ort.Tensor(dataType, data, dims);

/** Both packages take any object of a tensor's shape as an input. */
function plain({ dataType, data, dims }: TensorValue): BindingTensor {
  const tensor = { type: dataType, data, dims, location: "cpu" };
  return tensor;
}

async function loadPackage(name: RuntimeName, load: ImportPackage): Promise<OrtPackage> {
  try {
    // The packages' own types are not declared here; see binding.ts.
    return (await load(name)) as OrtPackage;
  } catch (cause) {
    throw new UserError("unsupported", `${name} cannot be loaded: ${firstLine(cause)}`, {
      hint: INSTALL[name],
      cause,
    });
  }
}

const firstLine = (cause: unknown): string => reasonOf(cause).split("\n")[0] ?? "";

const INSTALL: Readonly<Record<RuntimeName, string>> = {
  "onnxruntime-node":
    "Run: npm install onnxruntime-node --onnxruntime-node-install=skip   " +
    "(the option leaves out the CUDA libraries). Without a native build for this platform: npm install onnxruntime-web",
  "onnxruntime-web": "Run: npm install onnxruntime-web",
};

/** The runtime of a name. */
export function runtimeNamed(name: RuntimeName): Runtime {
  switch (name) {
    case "onnxruntime-node":
      return nativeRuntime();
    case "onnxruntime-web":
      return wasmRuntime();
    default:
      throw new TypeError(`no runtime is called ${name satisfies never}`);
  }
}

export interface LoadedRuntime {
  readonly name: RuntimeName;
  readonly binding: Binding;
  /** Why an earlier choice was passed over; null when the first could be loaded. */
  readonly fallback: string | null;
}

/** The first runtime that loads, in order of preference. Throws the first one's error when none does. */
export async function loadFirst(
  runtimes: readonly Runtime[] = [nativeRuntime(), wasmRuntime()],
): Promise<LoadedRuntime> {
  let first: unknown = null;
  for (const runtime of runtimes) {
    try {
      const binding = await runtime.load();
      return { name: runtime.name, binding, fallback: first === null ? null : reasonOf(first) };
    } catch (error) {
      first ??= error;
    }
  }
  throw (
    first ??
    new UserError("unsupported", "no engine to run models was given", {
      hint: INSTALL["onnxruntime-node"],
    })
  );
}
