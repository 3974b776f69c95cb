import { describe, expect, test } from "vitest";
import { createFakeHost, type FakeMachine } from "../../../test/fake-host.ts";
import { type FakeGpu, fakeNvml, NVIDIA_FILES } from "../../../test/fake-nvml.ts";
import { nvml } from "./nvml.ts";
import { nvmlProcesses } from "./nvml-processes.ts";
import type { Probe, Sensor } from "./sensor.ts";

const board = (changes: Partial<FakeGpu> = {}): FakeGpu => ({
  uuid: "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6",
  name: "NVIDIA GeForce RTX 3090",
  energy: 5_000_000,
  averagePower: 101_000,
  power: 100_000,
  limit: 350_000,
  ...changes,
});
const second = (changes: Partial<FakeGpu> = {}): FakeGpu =>
  board({ uuid: "GPU-1111f937-d72c-4106-c12f-20bd9faed9f8", ...changes });

const hostOf = (
  gpus: readonly FakeGpu[],
  machine: FakeMachine = {},
  options: Parameters<typeof fakeNvml>[1] = {},
) =>
  createFakeHost({
    libraries: { "libnvidia-ml.so.1": fakeNvml(gpus, options) },
    ...machine,
    files: { ...NVIDIA_FILES, ...machine.files },
  });

function sensorsOf(probe: Probe): readonly Sensor[] {
  if (probe.status !== "ready") throw new Error(`${probe.status}: ${probe.reason}`);
  return probe.sensors;
}
const firstOf = (probe: Probe): Sensor => {
  const [sensor] = sensorsOf(probe);
  if (sensor === undefined) throw new Error("no sensor");
  return sensor;
};

describe("which reading of a board is used", () => {
  test("the energy counter where there is one, in joules", async () => {
    const sensor = firstOf(await nvml.probe(hostOf([board()])));
    expect(sensor).toMatchObject({
      id: "nvml:GPU-8932f937-d72c-4106-c12f-20bd9faed9f6",
      kind: "counter",
      method: "measured",
      error: 0.05,
      maxPower: 350,
    });
    expect((await sensor.read()).value).toBe(5000);
  });

  test("before Volta, power", async () => {
    const { energy: _energy, averagePower: _average, ...pascal } = board({ name: "Tesla P100" });
    const probe = await nvml.probe(hostOf([pascal]));
    const sensor = firstOf(probe);
    expect(sensor).toMatchObject({
      kind: "power",
      method: "sampled",
      source: "NVML power, Tesla P100",
    });
    expect((await sensor.read()).value).toBe(100);
    expect(JSON.stringify(probe)).toContain("energy counter cannot be read (");
  });

  test("the one-second average is better than a moment", async () => {
    const sensor = firstOf(await nvml.probe(hostOf([board({ energy: { code: 3 } })])));
    expect(sensor.source).toContain("average");
    expect((await sensor.read()).value).toBe(101);
  });

  test("a counter that stays at zero is not believed", async () => {
    const probe = await nvml.probe(hostOf([board({ energy: 0 })]));
    expect(firstOf(probe).kind).toBe("power");
    expect(JSON.stringify(probe)).toContain("stays at zero");
  });

  test("a counter that has only just begun is believed", async () => {
    const gpu = board({ energy: 0 });
    const host = hostOf([gpu]);
    const sleep = host.sleep;
    const counting = Object.assign(host, {
      sleep: async (milliseconds: number) => {
        gpu.energy = 20;
        await sleep(milliseconds);
      },
    });
    expect(firstOf(await nvml.probe(counting)).kind).toBe("counter");
  });

  test("a driver without the field calls still gives power", async () => {
    const host = hostOf(
      [board({ energy: { code: 3 } })],
      {},
      { without: ["nvmlDeviceGetFieldValues"] },
    );
    expect(firstOf(await nvml.probe(host)).source).toContain("NVML power,");
  });

  // Tegra answers NOT_SUPPORTED to everything: no sensor, and no zero.
  test("a board that tells nothing gives no sensor and says why", async () => {
    const silent = { uuid: "GPU-0", name: "Orin (nvgpu)" };
    const probe = await nvml.probe(hostOf([silent]));
    expect(probe).toMatchObject({
      status: "absent",
      reason: expect.stringContaining("not supported"),
    });
  });

  test("A100 and H100 boards look at their power a quarter of the time: short runs are wider", async () => {
    for (const name of ["NVIDIA A100-SXM4-40GB", "NVIDIA H100 80GB HBM3", "NVIDIA H200"]) {
      const { error, shortWindow } = firstOf(await nvml.probe(hostOf([board({ name })])));
      expect([error, shortWindow]).toEqual([0.05, { below: 30, error: 0.1 }]);
    }
    const l40 = firstOf(await nvml.probe(hostOf([board({ name: "NVIDIA L40S" })])));
    expect([l40.error, l40.shortWindow]).toEqual([0.05, undefined]);
  });
});

describe("faults while running", () => {
  test("a GPU that is lost mid-run rejects, and is read again when it is back", async () => {
    const gpu = board();
    const sensor = firstOf(await nvml.probe(hostOf([gpu])));
    await sensor.read();
    gpu.lost = 15;
    await expect(sensor.read()).rejects.toThrow("GPU is lost");
    delete gpu.lost;
    gpu.energy = 5_100_000;
    expect((await sensor.read()).value).toBe(5100);
  });

  test("a counter going backwards is a gap, and after a driver reload a reset", async () => {
    const gpu = board();
    const sensor = firstOf(await nvml.probe(hostOf([gpu])));
    await sensor.read();
    gpu.energy = 10_000;
    await expect(sensor.read()).rejects.toThrow("fell");
    gpu.energy = 20_000;
    expect((await sensor.read()).value).toBe(20);
  });
});

describe("which boards are counted", () => {
  test("two boards of one model are two sensors", async () => {
    const sensors = sensorsOf(await nvml.probe(hostOf([board(), second()])));
    expect(new Set(sensors.map(({ id }) => id)).size).toBe(2);
  });

  test("only the chosen one, and the neighbour is mentioned", async () => {
    const host = hostOf([board(), second()], { env: { CUDA_VISIBLE_DEVICES: "GPU-1111" } });
    const probe = await nvml.probe(host);
    expect(sensorsOf(probe).map(({ device }) => device)).toEqual([second().uuid]);
    expect(JSON.stringify(probe)).toContain("hides 1 of 2");
  });

  test.each(["", "-1", "garbage"])("CUDA_VISIBLE_DEVICES=%j leaves none", async (value) => {
    const host = hostOf([board(), second()], { env: { CUDA_VISIBLE_DEVICES: value } });
    expect(await nvml.probe(host)).toMatchObject({
      status: "absent",
      reason: expect.stringContaining("hides 2 of 2"),
    });
  });

  test("with MIG on, the figure is that of the whole board, and said to be", async () => {
    const host = hostOf([second(), board({ migUuids: ["MIG-aa", "MIG-bb"] })], {
      env: { CUDA_VISIBLE_DEVICES: "MIG-bb" },
    });
    const probe = await nvml.probe(host);
    expect(sensorsOf(probe)).toHaveLength(1);
    expect(firstOf(probe).source).toContain("whole board, MIG is on");
    expect(firstOf(probe).device).toBe(board().uuid);
  });

  test("one lost board does not cost the other", async () => {
    const probe = await nvml.probe(hostOf([board({ lost: 15 }), second()]));
    expect(sensorsOf(probe).map(({ device }) => device)).toEqual([second().uuid]);
    expect(JSON.stringify(probe)).toContain("GPU 0: ");
  });

  test("a board without permission is denied, with a remedy", async () => {
    expect(await nvml.probe(hostOf([board({ lost: 4 })]))).toMatchObject({
      status: "denied",
      remedy: expect.stringContaining("/dev/nvidia"),
    });
  });
});

describe("a library that does not work", () => {
  const gpuOnBus = {
    "/sys/bus/pci/devices/0000:3b:00.0/vendor": "0x10de\n",
    "/sys/bus/pci/devices/0000:3b:00.0/class": "0x030200\n",
  };

  test.each([
    ["no FFI package", {}, "absent"],
    ["no library", { libraries: {} }, "absent"],
    [
      "no library, driver loaded",
      { libraries: {}, files: { "/proc/driver/nvidia/version": "x" } },
      "denied",
    ],
    ["macOS", { platform: "darwin", libraries: {} }, "absent"],
  ])("%s", async (_, machine, status) => {
    expect((await nvml.probe(createFakeHost(machine as FakeMachine))).status).toBe(status);
  });

  test("no FFI package, and a device to be seen: denied, with the remedy", async () => {
    for (const files of [NVIDIA_FILES, gpuOnBus]) {
      expect(await nvml.probe(createFakeHost({ files }))).toMatchObject({
        status: "denied",
        remedy: "npm install koffi",
      });
    }
    const jetson = createFakeHost({ files: { "/dev/nvhost-gpu": "" } });
    expect((await nvml.probe(jetson)).status).toBe("absent");
  });

  test("driver and library of different versions are denied, with the remedy", async () => {
    expect(await nvml.probe(hostOf([board()], {}, { init: 18 }))).toMatchObject({
      status: "denied",
      reason: expect.stringContaining("versions differ"),
      remedy: expect.stringContaining("restart"),
    });
  });

  test("a driver that is not loaded is a fault only where there is a GPU", async () => {
    expect((await nvml.probe(hostOf([], {}, { init: 9 }))).status).toBe("absent");
    expect(await nvml.probe(hostOf([], { files: gpuOnBus }, { init: 9 }))).toMatchObject({
      status: "denied",
      remedy: expect.stringContaining("modprobe"),
    });
  });

  test("that failed is tried again: the driver may have been loaded meanwhile", async () => {
    const library = fakeNvml([board()], { init: 9 });
    const host = createFakeHost({
      libraries: { "libnvidia-ml.so.1": library },
      files: NVIDIA_FILES,
    });
    expect((await nvml.probe(host)).status).toBe("absent");
    library["nvmlInit_v2"] = () => 0;
    expect((await nvml.probe(host)).status).toBe("ready");
  });

  test("is given back when the provider is closed, and opened again when asked", async () => {
    let sessions = 0;
    const library = fakeNvml([board()]);
    library["nvmlInit_v2"] = () => {
      sessions++;
      return 0;
    };
    library["nvmlShutdown"] = () => {
      sessions--;
      return 0;
    };
    const host = createFakeHost({
      libraries: { "libnvidia-ml.so.1": library },
      files: NVIDIA_FILES,
    });
    await nvml.probe(host);
    await nvml.probe(host);
    expect(sessions).toBe(1);
    await nvml.close?.(host);
    await nvml.close?.(host);
    expect(sessions).toBe(0);
    expect((await nvml.probe(host)).status).toBe("ready");
  });
});

describe("processes of a GPU", () => {
  const busy = board({
    processes: [
      { pid: 100, memory: 2_147_483_648n },
      { pid: 200, memory: 0xffff_ffff_ffff_ffffn },
      { pid: 300, memory: 1_048_576n },
    ],
    samples: [
      { pid: 100, time: 10n, sm: 40 },
      { pid: 100, time: 20n, sm: 60 },
      { pid: 200, time: 20n, sm: 30 },
      { pid: 0, time: 0n, sm: 0 },
    ],
  });
  const expected = [
    { pid: 100, share: 0.5, memory: 2_147_483_648 },
    { pid: 200, share: 0.3, memory: null },
    { pid: 300, share: 0, memory: 1_048_576 },
  ];

  // 16 bytes: version 1; 24: version 2; 32: what R535's version 3 first had.
  test.each([16, 24, 32])("are read from structs of %d bytes", async (processStride) => {
    const [found] = await nvmlProcesses(hostOf([busy], {}, { processStride }));
    expect(found).toMatchObject({ processes: expected, latest: 20n, note: null });
  });

  test("are read from drivers that have only older calls", async () => {
    const without = [
      "nvmlDeviceGetComputeRunningProcesses_v3",
      "nvmlDeviceGetComputeRunningProcesses_v2",
    ];
    const [found] = await nvmlProcesses(hostOf([busy], {}, { processStride: 16, without }));
    expect(found?.processes).toEqual(expected);
  });

  test("samples that were counted before are not counted again", async () => {
    const [found] = await nvmlProcesses(hostOf([busy]), new Map([[busy.uuid, 10n]]));
    expect(found?.processes.map(({ share }) => share)).toEqual([0.6, 0.3, 0]);
  });

  test("a share that the driver does not tell is unknown, not zero", async () => {
    const { samples: _samples, ...silent } = busy;
    const [found] = await nvmlProcesses(hostOf([silent]));
    expect(found?.processes.map(({ share }) => share)).toEqual([null, null, null]);
    expect(found?.note).toContain("not supported");
  });

  test("an unknown layout is a fault, not a guess", async () => {
    await expect(nvmlProcesses(hostOf([busy], {}, { processStride: 40 }))).rejects.toThrow(
      "layout",
    );
  });

  test("a lost board costs only its own", async () => {
    const found = await nvmlProcesses(hostOf([board({ lost: 15 }), { ...busy, uuid: "GPU-2" }]));
    expect(found.map(({ uuid }) => uuid)).toEqual(["GPU-2"]);
  });

  test("without NVML there are none", async () => {
    expect(await nvmlProcesses(createFakeHost())).toEqual([]);
  });
});
