// The engines that run graphs, as plain objects: ONNX Runtime's native library, the same compiled to
// WebAssembly for platforms without one, and the native library on a graphics processor through WebGPU.

import { reasonOf, UserError } from "../core/index.ts";
import type { Binding, BindingOptions, BindingSession, BindingTensor } from "./binding.ts";
import type { TensorValue } from "./tensor-value.ts";

export type RuntimeName = "onnxruntime-node" | "onnxruntime-web" | "webgpu";

export interface Runtime {
  readonly name: RuntimeName;
  /**
   * Whether the first run of a session is compared with the CPU's before it is believed: graphics
   * drivers differ, and a wrong convolution looks like any other. Default: no.
   */
  readonly checked?: boolean;
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

/**
 * A graphics processor through WebGPU. Of ONNX Runtime 1.30 in the layout NCHW alone: in its default, NHWC,
 * convolutions of exactly 6 channels came out wrong.
 */
export function webgpuRuntime(load: ImportPackage = importPackage): Runtime {
  const name = "webgpu";
  return {
    name,
    checked: true,
    async load() {
      const ort = await loadPackage("onnxruntime-node", load);
      return {
        version: ort.env.versions["node"] ?? ort.env.versions["common"] ?? "unknown",
        opensFiles: true,
        threads: (wanted) => wanted,
        // What the device computes is copied back anyway.
        writesInto: () => false,
        create: (model, options) =>
          ort.InferenceSession.create(model, {
            ...options,
            executionProviders: [{ name: "webgpu", preferredLayout: "NCHW" }],
          }),
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

type PackageName = Exclude<RuntimeName, "webgpu">;

async function loadPackage(name: PackageName, load: ImportPackage): Promise<OrtPackage> {
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

const INSTALL: Readonly<Record<PackageName, string>> = {
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
    case "webgpu":
      return webgpuRuntime();
    default:
      throw new TypeError(`no runtime is called ${name satisfies never}`);
  }
}

export interface LoadedRuntime {
  readonly name: RuntimeName;
  readonly checked: boolean;
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
      const fallback = first === null ? null : reasonOf(first);
      return { name: runtime.name, checked: runtime.checked === true, binding, fallback };
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
