import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createSession, nativeRuntime, type Runtime } from "../src/engine/index.ts";
import { relativeDifference } from "../src/engine/self-check.ts";
import { nativeMissing } from "./engines.ts";
import { smallData, smallNet } from "./small-net.ts";
import type { Compared } from "./support/webgpu-steps.ts";

// Chromium brings SwiftShader, a Vulkan device in software: right, and slow.
const DRIVER = "/usr/lib/chromium/vk_swiftshader_icd.json";
const LOADERS = [
  "/usr/lib/x86_64-linux-gnu/libvulkan.so.1",
  "/usr/lib/aarch64-linux-gnu/libvulkan.so.1",
];
const missing =
  nativeMissing ??
  (existsSync(DRIVER) ? null : "no SwiftShader (package chromium)") ??
  (LOADERS.some((path) => existsSync(path)) ? null : "no Vulkan loader (package libvulkan1)");
if (missing !== null) console.log(`skipping tests on WebGPU: ${missing}`);

describe.skipIf(missing !== null)("on WebGPU, in software", () => {
  test("training steps give what the CPU's give, with convolutions of 6 channels and pools", () => {
    const script = fileURLToPath(new URL("./support/webgpu-steps.ts", import.meta.url));
    const nets = JSON.stringify([["lenet-5", 28]]);
    const out = execFileSync(process.execPath, [script, nets], {
      env: { ...process.env, VK_ICD_FILENAMES: DRIVER },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const rows = JSON.parse(out) as readonly Compared[];
    expect(rows).toHaveLength(1);
    for (const { losses, difference } of rows) {
      const [device, cpu] = losses;
      for (const [step, loss] of device.entries()) {
        expect(loss).toBeCloseTo(cpu[step] ?? Number.NaN, 4);
      }
      expect(difference).toBeLessThan(1e-4);
    }
  }, 300_000);
});

describe.skipIf(nativeMissing !== null)("a checked session", () => {
  /** The CPU's runtime, taken for a device that must be checked, with what it computes changed. */
  const faulty = (change: (value: number) => number): Runtime => ({
    name: "webgpu",
    checked: true,
    async load() {
      const binding = await nativeRuntime().load();
      return {
        ...binding,
        writesInto: () => false,
        async create(model, options) {
          const session = await binding.create(model, options);
          return {
            inputMetadata: session.inputMetadata,
            outputMetadata: session.outputMetadata,
            endProfiling: () => session.endProfiling(),
            release: () => session.release(),
            async run(feeds, fetches) {
              const results = await session.run(feeds, fetches);
              for (const { data } of Object.values(results)) {
                if (data instanceof Float32Array) data.set(data.map(change));
              }
              return results;
            },
          };
        },
      };
    },
  });

  const model = smallNet();
  const { x } = smallData(12);
  const feeds = { x };

  test("passes results that differ by rounding, and refuses wrong ones before they are used", async () => {
    const right = await createSession(model, { runtime: faulty((value) => value * (1 + 1e-6)) });
    expect(Object.keys(await right.run(feeds))).not.toEqual([]);
    await right.close();
    const wrong = await createSession(model, { runtime: faulty((value) => value + 0.5) });
    await expect(wrong.run(feeds)).rejects.toThrow(/webgpu computes output .* wrongly/);
    await expect(wrong.run(feeds)).rejects.toThrow(/wrongly/);
    await wrong.close();
  });
});

test("differences are relative to the largest value; other shapes and infinities never agree", () => {
  const of = (...data: number[]) =>
    ({ dataType: "float32", dims: [data.length], data: Float32Array.from(data) }) as const;
  expect(relativeDifference(of(1, 2), of(1, 2))).toBe(0);
  expect(relativeDifference(of(1, 2.5), of(1, 2))).toBe(0.25);
  expect(relativeDifference(of(1), of(1, 2))).toBe(Number.POSITIVE_INFINITY);
  expect(relativeDifference(of(1, Number.NaN), of(1, 2))).toBe(Number.POSITIVE_INFINITY);
  expect(relativeDifference(of(1, Number.NaN), of(1, Number.NaN))).toBe(0);
  expect(relativeDifference(undefined, of(1))).toBe(Number.POSITIVE_INFINITY);
});
