import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type FakeHost, loadMachine } from "../../../test/fake-host.ts";
import { hwmonCpu } from "./hwmon-cpu.ts";
import { chooseSensors, type Found, type Ladder } from "./ladder.ts";
import { survey } from "./probe.ts";
import { raplMsr } from "./rapl-msr.ts";
import { raplPerf } from "./rapl-perf.ts";
import { raplPowercap } from "./rapl-powercap.ts";
import type { Domain, Probe, Sensor } from "./sensor.ts";

const LADDER = [raplPerf, raplPowercap, raplMsr, hwmonCpu];
const counted = ({ sensors }: Ladder) =>
  sensors.filter((one) => one.counted).map(({ sensor }) => sensor.id);
const reasons = ({ sensors }: Ladder, id: string) =>
  sensors.find(({ sensor }) => sensor.id === id)?.fallbacks ?? [];

/** Lets a powercap zone count from what it was recorded at, by the machine's clock. */
function counting(host: FakeHost, zone: string, watts: number): void {
  const file = `/sys/class/powercap/${zone}/energy_uj`;
  const start = Number(host.files.get(file));
  const began = host.monotonic();
  host.files.set(file, () => {
    const seconds = Number(host.monotonic() - began) / 1e9;
    return `${Math.round(start + watts * seconds * 1e6)}\n`;
  });
}

describe("real machines", () => {
  test("two sockets: both packages and both memories count, none twice", async () => {
    const ladder = await survey(loadMachine("xeon-two-sockets-dram"), LADDER);
    expect(counted(ladder)).toEqual([
      "rapl-powercap:package-0",
      "rapl-powercap:package-0/dram",
      "rapl-powercap:package-1",
      "rapl-powercap:package-1/dram",
    ]);
    expect(ladder.boundary).toBe("components");
    expect(reasons(ladder, "rapl-powercap:package-0")).toEqual([
      "rapl-perf absent: the optional package koffi is not installed: npm i koffi",
    ]);
    expect(ladder.uncovered.map(({ domain }) => domain)).toEqual(["machine"]);
  });

  test("a laptop with psys: the platform counts, and what is on it does not", async () => {
    const host = loadMachine("laptop-psys-mmio");
    counting(host, "intel-rapl:1", 9.6);
    counting(host, "intel-rapl:0", 3.9);
    counting(host, "intel-rapl-mmio:0", 3.9);
    const ladder = await survey(host, LADDER);
    expect(counted(ladder)).toEqual(["rapl-powercap:psys"]);
    expect(ladder.boundary).toBe("platform");
    expect(ladder.uncovered).toEqual([]);
    expect(reasons(ladder, "rapl-powercap:package-0")).toEqual(["inside rapl-powercap:psys"]);
    expect(reasons(ladder, "rapl-powercap:mmio:package-0")).toEqual([
      "rapl-powercap:package-0 counts the same package-0",
    ]);
  });

  test("a psys that the board does not wire gives way to the package, mmio not beside it", async () => {
    const host = loadMachine("laptop-psys-mmio");
    counting(host, "intel-rapl:0", 3.9);
    counting(host, "intel-rapl-mmio:0", 3.9);
    const ladder = await survey(host, LADDER);
    expect(counted(ladder)).toEqual(["rapl-powercap:package-0"]);
    expect(reasons(ladder, "rapl-powercap:psys")[0]).toContain("cannot contain the packages");
    expect(reasons(ladder, "rapl-powercap:package-0/core")).toEqual([
      "inside rapl-powercap:package-0",
    ]);
    expect(ladder.uncovered.map(({ domain }) => domain)).toEqual(["machine", "memory"]);
  });

  test("memory-mapped counters take over where the registers stand still", async () => {
    const host = loadMachine("laptop-psys-mmio");
    host.files.delete("/sys/class/powercap/intel-rapl:1/name");
    counting(host, "intel-rapl-mmio:0", 3.9);
    expect(counted(await survey(host, LADDER))).toEqual(["rapl-powercap:mmio:package-0"]);
  });

  test("a Threadripper whose dies mirror their socket is counted once", async () => {
    const host = loadMachine("threadripper-two-dies");
    // CodeCarbon issue 1274: 68 W on each die of an idle 1950X, at 125 W from the plug.
    counting(host, "intel-rapl:0", 68);
    counting(host, "intel-rapl:1", 68);
    const ladder = await survey(host, LADDER);
    expect(counted(ladder)).toEqual(["rapl-powercap:package-0-die-0"]);
    expect(reasons(ladder, "rapl-powercap:package-0-die-1")[0]).toContain("mirrors");
    expect(reasons(ladder, "rapl-powercap:package-0-die-1/core")[0]).toContain("inside");
  });

  test("dies that count for themselves both count", async () => {
    const host = loadMachine("threadripper-two-dies");
    counting(host, "intel-rapl:0", 68);
    counting(host, "intel-rapl:1", 41);
    expect(counted(await survey(host, LADDER))).toEqual([
      "rapl-powercap:package-0-die-0",
      "rapl-powercap:package-0-die-1",
    ]);
  });

  test("an EPYC without powercap is read by amd_energy, and says what it passed over", async () => {
    const ladder = await survey(loadMachine("epyc-amd-energy"), LADDER);
    expect(counted(ladder)).toEqual(["hwmon-cpu:hwmon3/Esocket0", "hwmon-cpu:hwmon3/Esocket1"]);
    expect(
      reasons(ladder, "hwmon-cpu:hwmon3/Esocket0").map((reason) => reason.split(":")[0]),
    ).toEqual(["rapl-perf absent", "rapl-powercap absent", "rapl-msr absent"]);
  });

  test("a locked machine counts nothing and hears every refusal", async () => {
    const ladder = await survey(loadMachine("desktop-locked"), LADDER);
    expect(counted(ladder)).toEqual([]);
    const cpu = ladder.uncovered.find(({ domain }) => domain === "cpu");
    expect(cpu?.reasons).toContainEqual(
      expect.stringMatching(/^rapl-powercap denied: .*CVE-2020-8694/),
    );
    expect(cpu?.reasons).toContainEqual(expect.stringMatching(/^rapl-msr denied/));
  });

  test("a guest, and a container without /sys, count nothing and say why for each rung", async () => {
    for (const name of ["guest-kvm-no-sensors", "container-no-sys"]) {
      const ladder = await survey(loadMachine(name), LADDER);
      expect(counted(ladder)).toEqual([]);
      expect(ladder.uncovered.map(({ domain }) => domain)).toEqual(["machine", "cpu", "memory"]);
      expect(ladder.uncovered[1]?.reasons).toHaveLength(LADDER.length);
    }
  });
});

const made = (id: string, changes: Partial<Sensor> = {}): Sensor => ({
  id,
  provider: id.split(":")[0] ?? id,
  domain: "cpu",
  device: id.split(":")[1] ?? id,
  scope: "component",
  kind: "counter",
  method: "measured",
  source: id,
  error: 0.03,
  read: () => Promise.reject(new Error("not read here")),
  ...changes,
});
const found = (provider: string, sensors: readonly Sensor[]): Found => ({
  provider,
  domains: [...new Set(sensors.map(({ domain }) => domain))],
  probe: { status: "ready", sensors },
});
const refused = (provider: string, domains: readonly Domain[], probe: Probe): Found => ({
  provider,
  domains,
  probe,
});

describe("machines", () => {
  const meter = made("ipmi:bmc", { domain: "machine", scope: "wall", kind: "power" });
  const battery = made("battery:BAT0", { domain: "machine", scope: "wall", kind: "power" });
  const psys = made("rapl-powercap:psys", { domain: "machine" });
  const cpu = made("rapl-powercap:package-0");
  const memory = made("rapl-powercap:package-0/dram", { domain: "memory" });
  const gpu = made("nvml:GPU-11111111-2222", { domain: "gpu" });

  test("a meter at the wall contains everything", () => {
    const ladder = chooseSensors([
      found("ipmi", [meter]),
      found("battery", [battery]),
      found("rapl-powercap", [psys, cpu, memory]),
      found("nvml", [gpu]),
    ]);
    expect(counted(ladder)).toEqual(["ipmi:bmc"]);
    expect(ladder.boundary).toBe("wall");
    expect(ladder.uncovered).toEqual([]);
    expect(reasons(ladder, "battery:BAT0")).toEqual(["ipmi:bmc reads the same"]);
    expect(reasons(ladder, gpu.id)).toEqual(["inside ipmi:bmc"]);
  });

  test("a battery comes before psys, and names the meter that was refused", () => {
    const ladder = chooseSensors([
      refused("ipmi", ["machine"], { status: "denied", reason: "root only", remedy: "sudo" }),
      found("battery", [battery]),
      found("rapl-powercap", [psys, cpu]),
    ]);
    expect(counted(ladder)).toEqual(["battery:BAT0"]);
    expect(reasons(ladder, "battery:BAT0")).toEqual(["ipmi denied: root only"]);
  });

  test("psys has the processor and its memory on it, a graphics card counts beside", () => {
    const perf = made("rapl-perf:package-0");
    const ladder = chooseSensors([
      found("rapl-perf", [perf]),
      found("rapl-powercap", [psys, cpu, memory]),
      found("nvml", [gpu]),
    ]);
    expect(counted(ladder)).toEqual(["rapl-powercap:psys", gpu.id]);
  });

  test("without a machine's meter its parts count, memory beside its package", () => {
    const ladder = chooseSensors([found("rapl-powercap", [cpu, memory]), found("nvml", [gpu])]);
    expect(counted(ladder)).toEqual([cpu.id, memory.id, gpu.id]);
  });

  test("memory comes from the first provider that has it, never from two", () => {
    const perf = made("rapl-perf:package-0");
    const other = made("hwmon-cpu:ddr", { domain: "memory", kind: "power" });
    const ladder = chooseSensors([
      found("rapl-perf", [perf]),
      found("rapl-powercap", [cpu, memory]),
      found("hwmon-cpu", [other]),
    ]);
    expect(counted(ladder)).toEqual([perf.id, memory.id]);
    expect(reasons(ladder, other.id)).toEqual([`${memory.id} reads the same`]);
  });

  test("a counter that its own device's power contradicts gives way", () => {
    const counter = made("amd-gpu:0000:03:00.0", { domain: "gpu" });
    const power = made("amd-gpu-power:0000:03:00.0", {
      domain: "gpu",
      kind: "power",
      device: "0000:03:00.0",
    });
    const device = { ...counter, device: "0000:03:00.0" };
    const at = (ms: number) => BigInt(ms) * 1_000_000n;
    const history = new Map([
      [device.id, [0, 1, 2, 3].map((n) => ({ at: at(20 * n), value: 30.6 * n }))],
      [power.id, [0, 1, 2, 3].map((n) => ({ at: at(20 * n), value: 100 }))],
    ]);
    const ladder = chooseSensors(
      [found("amd-gpu", [device]), found("amd-gpu-power", [power])],
      history,
    );
    expect(counted(ladder)).toEqual([power.id]);
    expect(reasons(ladder, device.id)[0]).toContain("15 times what");
  });
});

describe("GPUs", () => {
  const uuid = "GPU-5f2c0a11-8d1b-4c0e-9a37-0123456789ab";
  const gpu = (id: string, changes: Partial<Sensor> = {}) =>
    made(id, { domain: "gpu", ...changes });

  test("one device is one sensor, the counter before power and power before the model", () => {
    const counter = gpu("nvml:a", { device: uuid });
    const power = gpu("nvidia-smi:a", { device: uuid.toLowerCase(), kind: "power" });
    const model = gpu("gpu-model:a", { device: uuid, kind: "power", method: "estimated" });
    expect(
      counted(
        chooseSensors([
          found("nvml", [counter]),
          found("nvidia-smi", [power]),
          found("gpu-model", [model]),
        ]),
      ),
    ).toEqual(["nvml:a"]);
    expect(
      counted(chooseSensors([found("gpu-model", [model]), found("nvidia-smi", [power])])),
    ).toEqual(["nvidia-smi:a"]);
  });

  test("each device climbs its own ladder", () => {
    const old = gpu("nvidia-smi:old", { device: "GPU-aaaaaaaa-1", kind: "power" });
    const young = gpu("nvml:new", { device: "GPU-bbbbbbbb-2" });
    const same = gpu("nvidia-smi:new", { device: "GPU-bbbbbbbb-2", kind: "power" });
    expect(
      counted(chooseSensors([found("nvml", [young]), found("nvidia-smi", [old, same])])),
    ).toEqual(["nvml:new", "nvidia-smi:old"]);
  });

  test("a PCI address is one however wide its domain is written", () => {
    const one = gpu("amd-gpu:a", { device: "0000:65:00.0" });
    const other = gpu("gpu-model:a", { device: "00000000:65:00.0", method: "estimated" });
    const next = gpu("amd-gpu:b", { device: "0001:65:00.0" });
    expect(
      counted(chooseSensors([found("amd-gpu", [one, next]), found("gpu-model", [other])])),
    ).toEqual(["amd-gpu:a", "amd-gpu:b"]);
  });

  test("slices of one board read the whole board, and count once", () => {
    const slices = [1, 2].map((n) => gpu(`nvml:mig${n}`, { device: `${uuid}/MIG-0000000${n}-1` }));
    expect(counted(chooseSensors([found("nvml", slices)]))).toEqual(["nvml:mig1"]);
  });

  test("two tools of one maker whose names do not pair are not added", () => {
    const one = gpu("ioreport:GPU Energy", { device: "GPU Energy" });
    const other = gpu("powermetrics:gpu", { device: "gpu", kind: "power" });
    expect(
      counted(chooseSensors([found("ioreport", [one]), found("powermetrics", [other])])),
    ).toEqual(["ioreport:GPU Energy"]);
  });

  test("another maker's missing library is no fallback, a refusal is", () => {
    const amd = gpu("amd-gpu:a", { device: "0000:03:00.0" });
    const absent = refused("nvml", ["gpu"], { status: "absent", reason: "no library" });
    const denied = refused("nvml", ["gpu"], { status: "denied", reason: "no device", remedy: "x" });
    expect(reasons(chooseSensors([absent, found("amd-gpu", [amd])]), amd.id)).toEqual([]);
    expect(reasons(chooseSensors([denied, found("amd-gpu", [amd])]), amd.id)).toHaveLength(1);
    expect(chooseSensors([absent]).uncovered.map(({ domain }) => domain)).toEqual([
      "machine",
      "cpu",
      "memory",
    ]);
    expect(chooseSensors([denied]).uncovered.map(({ domain }) => domain)).toContain("gpu");
  });
});

test("whatever is found, no counted sensor contains another and no GPU counts twice", () => {
  const any = fc.array(
    fc.record({
      provider: fc.constantFrom(
        "ipmi",
        "rapl-perf",
        "rapl-powercap",
        "nvml",
        "nvidia-smi",
        "gpu-model",
      ),
      domain: fc.constantFrom<Domain>("machine", "cpu", "memory", "gpu"),
      device: fc.constantFrom("a", "b", "GPU-11111111-1", "GPU-22222222-2"),
      scope: fc.constantFrom<Sensor["scope"]>("component", "wall"),
      kind: fc.constantFrom<Sensor["kind"]>("counter", "power"),
      inside: fc.nat({ max: 9 }),
    }),
    { maxLength: 10 },
  );
  fc.assert(
    fc.property(any, (drawn) => {
      const sensors = drawn.map(({ inside, ...facts }, index) =>
        made(`${facts.provider}:${index}`, {
          ...facts,
          contains: inside > index ? [`${drawn[inside]?.provider}:${inside}`] : [],
        }),
      );
      const providers = [...new Set(sensors.map(({ provider }) => provider))];
      const ladder = chooseSensors(
        providers.map((name) =>
          found(
            name,
            sensors.filter(({ provider }) => provider === name),
          ),
        ),
      );
      const chosen = ladder.sensors.filter((one) => one.counted).map(({ sensor }) => sensor);
      expect(ladder.sensors).toHaveLength(sensors.length);
      for (const one of chosen) {
        for (const other of chosen) {
          expect(one.domain === other.domain && one.contains?.includes(other.id)).not.toBe(true);
          if (one !== other && one.domain === "gpu" && other.domain === "gpu") {
            expect(one.device).not.toBe(other.device);
          }
        }
      }
      if (chosen.some(({ domain, scope }) => domain === "machine" && scope === "wall")) {
        expect(chosen.every(({ domain }) => domain === "machine")).toBe(true);
      }
      for (const one of ladder.sensors) if (!one.counted) expect(one.fallbacks).toHaveLength(1);
    }),
  );
});
