// The prototypes and struct offsets of nvml-library.ts against a C compiler: a library with NVML's
// declarations is compiled and called through the real FFI. It is not NVIDIA's library.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createNodeHost } from "../../core/host/node-host.ts";
import type { Host } from "../../core/index.ts";
import { nvml } from "./nvml.ts";
import { closeNvml, openNvml } from "./nvml-library.ts";
import { nvmlProcesses } from "./nvml-processes.ts";

const compiler = ["cc", "gcc", "clang"].find((name) => {
  try {
    execFileSync(name, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});
const ffi = process.platform === "linux" ? await createNodeHost().ffi() : null;
const missing = compiler === undefined ? "no C compiler" : ffi === null ? "no FFI on Linux" : null;

describe.skipIf(missing !== null)(`NVML through the real FFI (${missing ?? "available"})`, () => {
  let folder = "";
  let host: Host = createNodeHost();

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "godwit-nvml-"));
    const library = join(folder, "libnvidia-ml.so.1");
    const source = new URL("../../../test/fixtures/nvml-abi/nvml.c", import.meta.url).pathname;
    execFileSync(compiler ?? "cc", ["-shared", "-fPIC", "-o", library, source]);
    host = {
      ...createNodeHost(),
      env: {},
      list: async (path) => (path === "/dev" ? ["nvidiactl"] : []),
      ffi: async () => (ffi === null ? null : { open: () => ffi.open([library]) }),
    };
  });
  afterAll(async () => {
    await closeNvml(host);
    rmSync(folder, { recursive: true });
  });

  test("counters over 32 bits, names and limits arrive", async () => {
    const probe = await nvml.probe(host);
    if (probe.status !== "ready") throw new Error(probe.reason);
    const [first, second] = probe.sensors;
    expect(probe.sensors).toHaveLength(2);
    expect(first).toMatchObject({ device: "GPU-0000", kind: "counter", maxPower: 350 });
    expect(first?.source).toContain("at 00000000:3B:00.0");
    expect((await first?.read())?.value).toBe(6_000_000_000);
    expect((await second?.read())?.value).toBeCloseTo(6_000_000_000.001, 3);
  });

  test("fields, PCI address, utilisation and MIG mode lie where the structs have them", async () => {
    const opening = await openNvml(host);
    if (opening.status !== "open") throw new Error(opening.status);
    const device = opening.nvml.handle(0);
    expect(opening.nvml.averagePower(device)).toBeCloseTo(98.765, 9);
    expect(opening.nvml.power(device)).toBeCloseTo(123.456, 9);
    expect(opening.nvml.pciBusId(device)).toBe("00000000:3B:00.0");
    expect(opening.nvml.utilisation(device)).toBe(0.42);
    expect(opening.nvml.migEnabled(device)).toBe(false);
    expect(() => opening.nvml.handle(9)).toThrow("NVML error 2");
    expect(() => opening.nvml.migUuids(device)).toThrow("too old");
  });

  test("processes and their time shares are found", async () => {
    const [found] = await nvmlProcesses(host, new Map([["GPU-0000", 5n]]));
    expect(found).toEqual({
      uuid: "GPU-0000",
      processes: [
        { pid: 100, share: 0.8, memory: 5_000_000_000 },
        { pid: 200, share: 0, memory: 1024 },
      ],
      latest: 1_760_000_000_000_005n,
      note: null,
    });
  });
});
