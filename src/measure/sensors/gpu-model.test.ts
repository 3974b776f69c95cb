import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { type FakeGpu, fakeNvml, NVIDIA_FILES } from "../../../test/fake-nvml.ts";
import { dataFile, missingData } from "../../../test/shared-data.ts";
import { parseCsv } from "../../core/index.ts";
import { gpuModel, gpuPower } from "./gpu-model.ts";
import { findGpuRating, type GpuRating, loadGpuTable } from "./gpu-table.ts";
import { chooseSensors } from "./ladder.ts";
import { nvidiaSmi } from "./nvidia-smi.ts";
import { nvml } from "./nvml.ts";
import { probeAll } from "./probe.ts";
import type { Probe, Sensor } from "./sensor.ts";

const data = new URL("../../../data/gpus/", import.meta.url);
const table = await loadGpuTable(createFakeHost());

function firstOf(probe: Probe): Sensor {
  if (probe.status !== "ready") throw new Error(`${probe.status}: ${probe.reason}`);
  const [sensor] = probe.sensors;
  if (sensor === undefined) throw new Error("no sensor");
  return sensor;
}
const factorsOf = ({ error }: Sensor) => {
  if (typeof error === "number") throw new Error("no explicit factors");
  return error;
};

const information = (model: string, uuid: string): string =>
  `Model: \t\t ${model}\nIRQ:   \t\t 78\nGPU UUID: \t ${uuid}\nVideo BIOS: \t 92.00.19\n`;
const driverHost = (model: string) =>
  createFakeHost({
    files: {
      "/proc/driver/nvidia/gpus/0000:3b:00.0/information": information(model, "GPU-8932f937"),
    },
  });

describe("power from rating and utilisation", () => {
  test("is 11.5 % of the rating when idle and 102 % at full load", () => {
    expect(gpuPower(400, 0)).toBeCloseTo(46, 9);
    expect(gpuPower(400, 1)).toBeCloseTo(408, 9);
  });

  test("utilisation unknown: 0.7 of the way, and an interval that says so", async () => {
    const sensor = firstOf(await gpuModel.probe(driverHost("NVIDIA A100-SXM4-40GB")));
    expect(sensor).toMatchObject({ method: "estimated", kind: "power", device: "GPU-8932f937" });
    expect(sensor.source).toContain("400 W");
    expect((await sensor.read()).value).toBeCloseTo(400 * (0.115 + 0.905 * 0.7), 9);
    const { low, high } = factorsOf(sensor);
    // At least as wide as utilisation 0.3 to 1 alone, and as the formula's own 30 %.
    expect(low).toBeLessThan(gpuPower(1, 0.3) / gpuPower(1, 0.7));
    expect(high).toBeGreaterThan(gpuPower(1, 1) / gpuPower(1, 0.7));
    expect(high).toBeGreaterThan(Math.exp(1.645 * 0.3));
  });

  test("a rating that is not known widens the interval further", async () => {
    const known = factorsOf(firstOf(await gpuModel.probe(driverHost("Tesla T4"))));
    const sensor = firstOf(await gpuModel.probe(driverHost("NVIDIA Zeta 9000")));
    expect(sensor.source).toContain("not in the table");
    expect(factorsOf(sensor).low).toBeLessThan(known.low);
    expect(factorsOf(sensor).high).toBeGreaterThan(known.high);
  });

  test("utilisation is read where the driver tells it, without power", async () => {
    const gpu = { uuid: "GPU-1", name: "Tesla T4", utilisation: 50 };
    const host = createFakeHost({
      libraries: { "libnvidia-ml.so.1": fakeNvml([gpu]) },
      files: NVIDIA_FILES,
    });
    const sensor = firstOf(await gpuModel.probe(host));
    expect((await sensor.read()).value).toBeCloseTo(gpuPower(70, 0.5), 9);
    gpu.utilisation = 100;
    expect((await sensor.read()).value).toBeCloseTo(gpuPower(70, 1), 9);
    expect(factorsOf(sensor).high).toBeCloseTo(Math.exp(1.6448536 * 0.3), 6);
  });

  test("an AMD board without power: its limit and its busy percentage", async () => {
    const device = "/sys/class/drm/card0/device";
    const host = createFakeHost({
      files: {
        [`${device}/vendor`]: "0x1002\n",
        [`${device}/device`]: "0x9999\n",
        [`${device}/gpu_busy_percent`]: "25\n",
        [`${device}/hwmon/hwmon0/name`]: "amdgpu\n",
        [`${device}/hwmon/hwmon0/power1_cap_max`]: "200000000\n",
      },
    });
    const sensor = firstOf(await gpuModel.probe(host));
    expect((await sensor.read()).value).toBeCloseTo(gpuPower(200, 0.25), 9);
  });

  test("obeys CUDA_VISIBLE_DEVICES", async () => {
    const host = driverHost("Tesla T4");
    const hidden = Object.assign(host, { env: { CUDA_VISIBLE_DEVICES: "" } });
    expect((await gpuModel.probe(hidden)).status).toBe("absent");
  });

  test("a board without the NVIDIA driver is mentioned, not estimated", async () => {
    const path = "/sys/bus/pci/devices/0000:01:00.0";
    const host = createFakeHost({
      files: { [`${path}/vendor`]: "0x10de\n", [`${path}/class`]: "0x030000\n" },
    });
    expect(await gpuModel.probe(host)).toMatchObject({
      status: "absent",
      reason: expect.stringContaining("without the NVIDIA driver"),
    });
  });

  test("a machine without GPUs is absent", async () => {
    expect((await gpuModel.probe(createFakeHost())).status).toBe("absent");
    expect((await gpuModel.probe(createFakeHost({ platform: "darwin" }))).status).toBe("absent");
  });
});

describe("the table of ratings", () => {
  const tdp = (name: string) => findGpuRating(table, name)?.tdp ?? null;

  // Names as nvidia-smi and amdgpu print them; figures as the makers' datasheets state them.
  test.each([
    ["NVIDIA A100-SXM4-80GB", 400],
    ["NVIDIA A100 80GB PCIe", 300],
    ["NVIDIA A100-PCIE-40GB", 250],
    ["NVIDIA H100 80GB HBM3", 700],
    ["NVIDIA H100 PCIe", 350],
    ["Tesla V100-SXM2-32GB", 300],
    ["NVIDIA Tesla T4", 70],
    ["Tesla T4", 70],
    ["NVIDIA GeForce RTX 4090", 450],
    ["GeForce RTX 3060 Ti", 200],
    ["NVIDIA GeForce GTX TITAN X", 250],
    ["AMD Instinct MI210", 300],
    // A K80 board has 300 W and two devices.
    ["Tesla K80", 150],
    // Its two sizes are rated 250 W and 300 W.
    ["NVIDIA A100-PCIE", null],
    // Same name, other rating: no guess.
    ["NVIDIA GeForce RTX 4090 Laptop GPU", null],
    ["NVIDIA GeForce RTX 2080 with Max-Q Design", null],
    ["NVIDIA GeForce RTX 4090 D", null],
    ["", null],
  ])("%j is %j W", (name, expected) => {
    expect(tdp(name)).toBe(expected);
  });

  test("has at least 40 boards, each once, with a plausible power and a source", () => {
    expect(table.length).toBeGreaterThanOrEqual(40);
    expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
    const odd = (rating: GpuRating) =>
      !(rating.tdp >= 25 && rating.tdp <= 1500) || rating.source === "";
    expect(table.filter(odd)).toEqual([]);
  });

  test("is the file that its checksum was taken of", () => {
    const sums = readFileSync(new URL("SHA256SUMS", data), "utf8").trim().split("\n");
    for (const line of sums) {
      const [sum, name] = line.split(/\s+/);
      const bytes = readFileSync(new URL(name ?? "", data));
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(sum);
    }
  });

  const reference = "reference-factors/green-algorithms/TDP_gpu.csv";
  test.skipIf(missingData(reference) !== null)(
    "carries Green Algorithms' figures unchanged (skipped where its table is absent)",
    () => {
      const theirs = parseCsv(readFileSync(dataFile(reference), "utf8")).map((row) =>
        Number(row[3]),
      );
      const ours = table.filter(({ source }) => source === "Green Algorithms");
      expect(ours.length).toBeGreaterThan(10);
      expect(ours.every((rating) => theirs.includes(rating.tdp))).toBe(true);
    },
  );
});

describe("together with the other rungs", () => {
  const rungs = [nvml, nvidiaSmi, gpuModel];
  const counted = async (gpus: readonly FakeGpu[]) => {
    const library = { "libnvidia-ml.so.1": fakeNvml(gpus) };
    const smi = (args: readonly string[]) => ({
      stdout: gpus
        .map((gpu, index) =>
          (args[0] ?? "")
            .replace("--query-gpu=", "")
            .split(",")
            .map((field) => ({ index, uuid: gpu.uuid, name: gpu.name })[field] ?? "[N/A]")
            .join(", "),
        )
        .join("\n"),
    });
    const host = createFakeHost({
      libraries: library,
      commands: { "nvidia-smi": smi },
      files: NVIDIA_FILES,
    });
    return chooseSensors(await probeAll(host, rungs))
      .sensors.filter((ranked) => ranked.counted)
      .map(({ sensor }) => sensor.id);
  };
  const readable = { uuid: "GPU-11111111", name: "Tesla T4", energy: 1000 };
  const silent = { uuid: "GPU-22222222", name: "Tesla T4" };

  test("a board that can be read is not estimated as well", async () => {
    expect(await counted([readable])).toEqual(["nvml:GPU-11111111"]);
  });

  test("the silent one of two boards of one model is estimated, and only that one", async () => {
    expect(await counted([readable, silent])).toEqual([
      "nvml:GPU-11111111",
      "gpu-model:GPU-22222222",
    ]);
  });
});
