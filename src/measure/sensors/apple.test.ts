import { describe, expect, test } from "vitest";
import { createFakeHost, loadMachine } from "../../../test/fake-host.ts";
import { type FakeChannel, macWith } from "../../../test/fake-ioreport.ts";
import { ioreport } from "./ioreport.ts";
import { joulesPerCount, railsOf } from "./ioreport-channels.ts";
import { powermetrics } from "./powermetrics.ts";

/** Names of a rail's channels. */
function names(channels: readonly string[]): Record<string, readonly (string | undefined)[]> {
  const rails = railsOf(channels.map((name) => ({ name, unit: "mJ" })));
  return Object.fromEntries(
    [...rails].map(([rail, indexes]) => [rail, indexes.map((index) => channels[index])]),
  );
}

describe("channels of the group Energy Model", () => {
  test("of one die are the totals alone", () => {
    const channels = ["ECPU", "EACC_CPU0", "PACC0_CPU1", "CPU Energy", "GPU", "GPU0", "GPU SRAM0"];
    channels.push("GPU Energy", "ANE0", "ANE0_SRAM", "DRAM0", "DCS0", "AMCC0", "DISP0");
    expect(names(channels)).toEqual({
      cpu: ["CPU Energy"],
      gpu: ["GPU Energy"],
      ane: ["ANE0"],
      dram: ["DRAM0"],
    });
  });

  test("of an M1 Ultra are the sum of its dies (all-smi pull request 424)", () => {
    const channels = ["DIE_0_EACC_CPU0", "DIE_0_CPU Energy", "DIE_1_CPU Energy", "PCPU1DTL2b"];
    channels.push("GPU0_0", "GPU SRAM0_0", "ANE0_0", "DRAM0_0", "AMCC0_0", "ANE0_1", "DRAM0_1");
    channels.push("apciec0 Energy", "PCIe Port 0 Energy", "GPU Energy");
    expect(names(channels)).toEqual({
      cpu: ["DIE_0_CPU Energy", "DIE_1_CPU Energy"],
      gpu: ["GPU Energy"],
      ane: ["ANE0_0", "ANE0_1"],
      dram: ["DRAM0_0", "DRAM0_1"],
    });
  });

  test("never add a die to the chip that contains it", () => {
    const channels = ["DIE_0_CPU Energy", "CPU Energy", "DIE_1_CPU Energy", "DRAM", "DRAM0"];
    expect(names(channels)).toEqual({ cpu: ["CPU Energy"], dram: ["DRAM"] });
  });

  test("have a unit each, and one that is not known is an error", () => {
    expect(["mJ", "uJ", "\u00b5J", "nJ", " mJ "].map(joulesPerCount)).toEqual([
      1e-3, 1e-6, 1e-6, 1e-9, 1e-3,
    ]);
    for (const unit of ["", "J", "mW", "pJ"]) expect(() => joulesPerCount(unit)).toThrow(unit);
  });
});

const m2 = (): { readonly [K in "cpu" | "gpu" | "ane" | "dram"]: FakeChannel } => ({
  cpu: { name: "CPU Energy", unit: "mJ", count: 5_000_000 },
  gpu: { name: "GPU Energy", unit: "nJ", count: 2n ** 60n },
  ane: { name: "ANE0", unit: "mJ", count: 0 },
  dram: { name: "DRAM0", unit: "uJ", count: 9_000_000 },
});

async function sensorsOf(host: ReturnType<typeof macWith>["host"]) {
  const probe = await ioreport.probe(host);
  if (probe.status !== "ready") throw new Error(probe.reason);
  return new Map(probe.sensors.map((sensor) => [sensor.device, sensor]));
}

describe("IOReport", () => {
  test("reads each channel in its own unit", async () => {
    const { host } = macWith(Object.values(m2()));
    const sensors = await sensorsOf(host);
    const value = async (device: string) => (await sensors.get(device)?.read())?.value;
    expect(await value("cpu")).toBe(5000);
    expect(await value("gpu")).toBeCloseTo(2 ** 60 * 1e-9, 3);
    expect(await value("ane")).toBe(0);
    expect(await value("dram")).toBe(9);
    expect([...sensors.values()].map(({ domain }) => domain)).toEqual([
      "cpu",
      "gpu",
      "gpu",
      "memory",
    ]);
  });

  test("gives everything back that it took", async () => {
    const { host, living } = macWith(Object.values(m2()));
    const sensors = await sensorsOf(host);
    await sensors.get("cpu")?.read();
    await sensorsOf(host);
    await ioreport.close?.(host);
    await ioreport.close?.(host);
    expect(living.size).toBe(0);
  });

  test("takes a processor that stands still for 10 s as a gap, not as 0 J", async () => {
    // macmon issue 76: on macOS 27 the mJ channels stop, the graphics processor's goes on.
    const chip = m2();
    const { host } = macWith(Object.values(chip));
    const sensors = await sensorsOf(host);
    await sensors.get("cpu")?.read();
    host.advance(11_000);
    chip.gpu.count = 2n ** 60n + 10n ** 9n;
    for (const stalled of ["cpu", "ane", "dram"]) {
      await expect(sensors.get(stalled)?.read()).rejects.toThrow("stood still");
    }
    await expect(sensors.get("gpu")?.read()).resolves.toBeDefined();
    chip.cpu.count = 5_000_001;
    host.advance(1000);
    expect((await sensors.get("cpu")?.read())?.value).toBeCloseTo(5000.001, 9);
  });

  test("says what the chip does not tell, and leaves it out", async () => {
    const { cpu } = m2();
    expect(await ioreport.probe(macWith([cpu]).host)).toMatchObject({
      status: "ready",
      sensors: [{ device: "cpu" }],
      notes: [
        "this chip tells no energy of its gpu",
        "this chip tells no energy of its ane",
        "this chip tells no energy of its dram",
      ],
    });
  });

  test("leaves out a rail whose unit it does not know", async () => {
    const { cpu, dram } = m2();
    const odd = { ...dram, unit: "furlongs" };
    const probe = await ioreport.probe(macWith([cpu, odd]).host);
    expect(probe).toMatchObject({ sensors: [{ device: "cpu" }] });
    expect(probe.status === "ready" && probe.notes?.[0]).toContain("furlongs");
  });

  test("rejects when a channel is no counter any more or the list has changed", async () => {
    const chip = m2();
    const channels: FakeChannel[] = Object.values(chip);
    const { host } = macWith(channels);
    const sensors = await sensorsOf(host);
    chip.cpu.count = -(2n ** 63n);
    await expect(sensors.get("cpu")?.read()).rejects.toThrow("has gone");
    channels.pop();
    host.advance(1000);
    await expect(sensors.get("cpu")?.read()).rejects.toThrow("channels have changed");
  });

  test("is absent or denied with the reason elsewhere", async () => {
    expect(await ioreport.probe(createFakeHost())).toMatchObject({ reason: "not macOS" });
    expect(await ioreport.probe(loadMachine("mac-m2-max", { arch: "x64" }))).toMatchObject({
      reason: "not Apple Silicon",
    });
    expect(await ioreport.probe(loadMachine("mac-m2-max"))).toMatchObject({ status: "denied" });
    expect(await ioreport.probe(macWith([]).host)).toMatchObject({
      status: "absent",
      reason: "IOReport has no group Energy Model",
    });
    expect(await ioreport.probe(loadMachine("mac-m2-max", { libraries: {} }))).toMatchObject({
      status: "absent",
    });
  });
});

describe("powermetrics", () => {
  const text = (cpu: string): string => `
*** Sampled system activity (Fri Sep 11 13:41:46 2026 -0700) (502.90ms elapsed) ***

**** Processor usage ****

E-Cluster HW active frequency: 1248 MHz
CPU 0 frequency: 1359 MHz

CPU Power: ${cpu}
GPU Power: 26 mW
ANE Power: 0 mW
Combined Power (CPU + GPU + ANE): 1172 mW
`;
  const mac = (stdout: string, allowed = true) => {
    const calls: (readonly string[])[] = [];
    const host = loadMachine("mac-m2-max", {
      commands: {
        sudo: (args) => {
          calls.push(args);
          if (args.includes("-l")) return { code: allowed ? 0 : 1 };
          return { stdout };
        },
      },
    });
    return { host, calls };
  };

  test("runs only where sudo allows it already, and is never asked for a password", async () => {
    const { host, calls } = mac(text("823 mW"), false);
    expect(await powermetrics.probe(host)).toMatchObject({ status: "denied" });
    expect(calls).toEqual([["-n", "-l", "/usr/bin/powermetrics"]]);
  });

  test("is read in the unit that the line names, one run for all devices", async () => {
    const { host, calls } = mac(text("823 mW"));
    const probe = await powermetrics.probe(host);
    if (probe.status !== "ready") throw new Error(probe.reason);
    calls.length = 0;
    const readings = await Promise.all(probe.sensors.map((sensor) => sensor.read()));
    expect(readings.map(({ value }) => value)).toEqual([0.823, 0.026, 0]);
    expect(calls).toHaveLength(1);
    // The middle of the half second that the mean stands for.
    expect(host.monotonic() - (readings[0]?.at ?? 0n)).toBe(250_000_000n);
  });

  test("of an Intel Mac tells the package", async () => {
    const { host } = mac("Intel energy model derived package power (CPUs+GT+SA): 2.48W\n");
    const probe = await powermetrics.probe(host);
    const sensor = probe.status === "ready" ? probe.sensors[0] : undefined;
    expect((await sensor?.read())?.value).toBe(2.48);
  });

  test("that tells 0 mW of a processor at work is a gap (macOS 27 beta)", async () => {
    const { host } = mac(text("0 mW"));
    const probe = await powermetrics.probe(host);
    const sensor = probe.status === "ready" ? probe.sensors[0] : undefined;
    await expect(sensor?.read()).rejects.toThrow("0 W");
  });

  test("that answers something else is absent", async () => {
    expect(await powermetrics.probe(mac("unrecognized option").host)).toMatchObject({
      status: "absent",
    });
    expect(await powermetrics.probe(loadMachine("mac-m2-max"))).toMatchObject({ status: "absent" });
    expect(await powermetrics.probe(createFakeHost())).toMatchObject({ reason: "not macOS" });
  });
});
