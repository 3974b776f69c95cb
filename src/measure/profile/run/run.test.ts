import { describe, expect, it } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import { createFakeHost } from "../../../../test/fake-host.ts";
import { floats, model, node } from "../../../../test/small-model.ts";
import { figure } from "../../../core/index.ts";
import { createMeasurer } from "../../run/index.ts";
import { countModel } from "../count-model.ts";
import { nodesIn } from "../entry.ts";
import { rooflineTime } from "../roofline.ts";
import { feedsFor } from "./feeds.ts";
import { hostRoofline, raiseRoofline } from "./host-roofline.ts";
import { groupByKernel, kernelTimes, origins } from "./kernels.ts";
import { readNpy } from "./npy.ts";
import { choose, settingsOf } from "./sweep.ts";
import { type RunCost, timedRun } from "./timed-run.ts";

const named = (name: string, ...of: Parameters<typeof node>) => ({ ...node(...of), name });

const layer = model({
  inputs: {
    x: [4, 8],
    w: floats(new Array(64).fill(0.1), [8, 8]),
    b: floats(new Array(8).fill(1)),
  },
  nodes: [
    named("fc", "MatMul", [["x", "w"], ["h"]]),
    named("bias", "Add", [["h", "b"], ["s"]]),
    named("relu", "Relu", [["s"], ["y"]]),
  ],
});

describe("kernels", () => {
  const costs = [...nodesIn(countModel(layer).entries)];

  it("gives a fused kernel the nodes before it that have no time", () => {
    const { kernels } = groupByKernel(
      costs,
      new Map([
        ["bias", 1e-3],
        ["relu", 2e-3],
      ]),
    );
    expect(kernels).toEqual([
      {
        name: "fc",
        operator: "MatMul+Add",
        nodes: ["fc", "bias"],
        time: 1e-3,
        flops: 512 + 32,
        // x, w, b and the sum; the product stays inside.
        bytes: 4 * (32 + 64 + 8 + 32),
      },
      { name: "relu", operator: "Relu", nodes: ["relu"], time: 2e-3, flops: 32, bytes: 256 },
    ]);
  });

  it("finds the node behind a kernel's name, whatever slashes it has", () => {
    const slashed = model({
      inputs: { x: [4] },
      nodes: [
        named("net/conv", "Relu", [["x"], ["net/conv_out"]]),
        named("net/conv/relu", "Relu", [["net/conv_out"], ["y"]]),
      ],
    });
    const originOf = origins([...nodesIn(countModel(slashed).entries)]);
    expect(originOf("net/conv/relu_nchwc")).toBe("net/conv/relu");
    expect(originOf("fused net/conv/MatMulAddFusion")).toBe("net/conv");
    expect(originOf("net/conv_out_nchwc")).toBe("net/conv");
    expect(originOf("ReorderOutput")).toBeNull();
  });

  it("gives a node behind the last kernel to the one that feeds it", () => {
    const { kernels, folded } = groupByKernel(costs, new Map([["fc", 1e-3]]));
    expect(kernels.map(({ nodes }) => nodes)).toEqual([["fc", "bias", "relu"]]);
    expect(folded).toEqual([]);
  });
});

describe("roofline", () => {
  it("takes the longer of arithmetic and traffic", () => {
    const roofline = { peakFlops: 100, bandwidth: 10 };
    expect(rooflineTime({ flops: 200, bytes: 10 }, roofline)).toEqual({
      seconds: 2,
      binding: "compute",
    });
    expect(rooflineTime({ flops: 200, bytes: 30 }, roofline)).toEqual({
      seconds: 3,
      binding: "memory",
    });
  });

  it("is raised by what a real kernel reached, and kept", async () => {
    const kept = new Map<string, string>();
    const store = {
      read: async (key: string) => kept.get(key) ?? null,
      write: async (key: string, text: string) => void kept.set(key, text),
    };
    const options = { threads: 1, machine: "m", store };
    const before = { peakFlops: 10, bandwidth: 5 };
    const raised = await raiseRoofline(
      before,
      [
        { flops: 20, time: 1 },
        { flops: 1, time: 1e-6 },
      ],
      options,
    );
    expect(raised).toEqual({ peakFlops: 20, bandwidth: 5 });
    expect(await hostRoofline(options)).toEqual(raised);
  });
});

describe("inputs", () => {
  it("makes up floats, and ones where integers index", () => {
    const feeds = feedsFor(
      model({
        inputs: { x: [2, 3], ids: { type: "int64", shape: [2] } },
        nodes: [node("Relu", [["x"], ["y"]])],
      }),
    );
    expect(feeds["x"]?.dims).toEqual([2, 3]);
    expect(feeds["ids"]?.data).toEqual(BigInt64Array.of(1n, 1n));
  });

  it("refuses open sizes with a remedy", () => {
    const open = model({ inputs: { x: ["n"] }, nodes: [node("Relu", [["x"], ["y"]])] });
    expect(() => feedsFor(open)).toThrow("open sizes");
  });

  const npy = (header: string, data: ArrayBufferLike): Uint8Array => {
    const text = new TextEncoder().encode(header.padEnd(54));
    const file = new Uint8Array(10 + text.length + data.byteLength);
    file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length, 0]);
    file.set(text, 10);
    file.set(new Uint8Array(data), 10 + text.length);
    return file;
  };

  it("reads NumPy's arrays", () => {
    const file = npy(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }",
      Float32Array.of(1, 2).buffer,
    );
    expect(readNpy(file, "a.npy")).toEqual({
      dataType: "float32",
      dims: [2, 1],
      data: Float32Array.of(1, 2),
    });
  });

  it.each([
    ["no array", new Uint8Array(20)],
    [
      "too little",
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", new ArrayBuffer(4)),
    ],
    [
      "Fortran order",
      npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", new ArrayBuffer(4)),
    ],
    [
      "objects",
      npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", new ArrayBuffer(8)),
    ],
  ])("refuses %s", (_, file) => {
    expect(() => readNpy(file, "a.npy")).toThrow("a.npy");
  });
});

describe("sweep", () => {
  it("chooses the least energy an item, and the least CPU time where energy is not known", () => {
    const cost = (energy: number | null, cpu: number): RunCost => {
      const of = <U extends "s" | "J">(unit: U, value: number) =>
        figure(unit, value, { low: value, high: value }, { method: "measured", source: "test" });
      const settings = {} as RunCost["settings"];
      const rest = { settings, repeats: 1, emissions: null, notices: [] };
      return {
        ...rest,
        latency: of("s", 1),
        cpuTime: of("s", cpu),
        energy: energy === null ? null : of("J", energy),
      };
    };
    const [one, two] = settingsOf([1], [1, 8]);
    if (one === undefined || two === undefined) throw new Error("two settings");
    const known = choose([
      { ...one, cost: cost(2, 1) },
      { ...two, cost: cost(12, 9) },
    ]);
    expect([known.best?.batch, known.by]).toEqual([8, "energy"]);
    const unknown = choose([
      { ...one, cost: cost(2, 1) },
      { ...two, cost: cost(null, 9) },
    ]);
    expect([unknown.best?.batch, unknown.by]).toEqual([1, "CPU time"]);
  });
});

describe.skipIf(nativeMissing !== null)("on ONNX Runtime", () => {
  it("times whole runs and gives every kernel its nodes", async () => {
    const measurer = createMeasurer(() => ({ host: createFakeHost({}), providers: [] }));
    const feeds = feedsFor(layer);
    const cost = await timedRun(layer, feeds, { measurer, repeats: 3, threads: 1 });
    expect(cost.repeats).toBe(3);
    expect(cost.settings.spinning).toBe(false);
    expect(cost.latency.value).toBeGreaterThan(0);
    const { kernels, folded } = await kernelTimes(layer, feeds, {
      threads: 1,
      count: countModel(layer),
    });
    expect(kernels.flatMap(({ nodes }) => nodes).toSorted()).toEqual(["bias", "fc", "relu"]);
    expect(folded).toEqual([]);
  });
});
