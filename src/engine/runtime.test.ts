import { describe, expect, test } from "vitest";
import { UserError } from "../core/index.ts";
import { loadFirst, nativeRuntime, wasmRuntime } from "./runtime.ts";
import { defaultThreads, settle } from "./settings.ts";

const missing = (name: string) =>
  Promise.reject(new Error(`Cannot find package '${name}'\nRequire stack: ...`));
const present = {
  env: { versions: { node: "1.30.0", web: "1.30.0" }, wasm: { numThreads: 0 } },
  InferenceSession: { create: () => Promise.reject(new Error("not to be called")) },
  Tensor: class {},
};

describe("runtimes", () => {
  test("that are not installed say how to install them", async () => {
    const error = await nativeRuntime(missing)
      .load()
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      code: "unsupported",
      message: "onnxruntime-node cannot be loaded: Cannot find package 'onnxruntime-node'",
      hint: expect.stringContaining("npm install onnxruntime-node --onnxruntime-node-install=skip"),
    });
  });

  test("are loaded only when asked to", async () => {
    const asked: string[] = [];
    const runtime = nativeRuntime(async (name) => {
      asked.push(name);
      return present;
    });
    expect(asked).toEqual([]);
    expect((await runtime.load()).version).toBe("1.30.0");
    expect(asked).toEqual(["onnxruntime-node"]);
  });

  test("fall back to WebAssembly, on one thread, and say why", async () => {
    const chosen = await loadFirst([nativeRuntime(missing), wasmRuntime(async () => present)]);
    expect(chosen.name).toBe("onnxruntime-web");
    expect(chosen.fallback).toContain("onnxruntime-node cannot be loaded");
    expect(chosen.binding.threads(8)).toBe(1);
    expect(present.env.wasm.numThreads).toBe(1);
  });

  test("give the reason of the preferred one when none can be loaded", async () => {
    const loading = loadFirst([nativeRuntime(missing), wasmRuntime(missing)]);
    await expect(loading).rejects.toThrow("onnxruntime-node cannot be loaded");
  });
});

describe("settings", () => {
  test("use no more than four threads unless told to", () => {
    expect(defaultThreads()).toBeGreaterThanOrEqual(1);
    expect(defaultThreads()).toBeLessThanOrEqual(4);
    expect(settle({ threads: 12 }).threads).toBe(12);
  });

  test.each([0, -1, 1.5, Number.NaN])("refuse %s threads", (threads) => {
    expect(() => settle({ threads })).toThrow(RangeError);
  });
});
