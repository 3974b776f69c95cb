// Which engines this machine can load. A test that needs one skips with the reason when it cannot.

import { reasonOf } from "../src/core/index.ts";
import { nativeRuntime, type Runtime, wasmRuntime } from "../src/engine/index.ts";

async function whyMissing(runtime: Runtime): Promise<string | null> {
  try {
    await runtime.load();
    return null;
  } catch (error) {
    console.log(`skipping tests on ${runtime.name}: ${reasonOf(error)}`);
    return reasonOf(error);
  }
}

/** Why tests on native code must skip; null when it can be loaded. */
export const nativeMissing = await whyMissing(nativeRuntime());

/** Why tests on WebAssembly must skip; null when it can be loaded. */
export const wasmMissing = await whyMissing(wasmRuntime(() => import("onnxruntime-web")));
