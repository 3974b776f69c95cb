import { expect, test } from "vitest";
import { createFakeHost, loadMachine } from "../../../test/fake-host.ts";
import { hwmonCpu } from "./hwmon-cpu.ts";
import type { Probe, Sensor } from "./sensor.ts";

const ready = (probe: Probe): readonly Sensor[] => {
  if (probe.status !== "ready") throw new Error(`${probe.status}: ${probe.reason}`);
  return probe.sensors;
};
const chip = (name: string, files: Record<string, string>) =>
  createFakeHost({
    files: Object.fromEntries(
      Object.entries({ name, ...files }).map(([file, text]) => [
        `/sys/class/hwmon/hwmon1/${file}`,
        text,
      ]),
    ),
  });

test("amd_energy counts by socket; its cores are inside", async () => {
  const sensors = ready(await hwmonCpu.probe(loadMachine("epyc-amd-energy")));
  expect(sensors.map(({ device, kind }) => [device, kind])).toEqual([
    ["package-0", "counter"],
    ["package-1", "counter"],
  ]);
  // Microjoules, accumulated to 64 bits by the driver.
  expect((await sensors[0]?.read())?.value).toBeCloseTo(93_456_789.012345, 6);
  expect(sensors[0]?.range).toBeUndefined();
});

test("zenpower's cores and SoC are two rails that add up; other power channels are not its", async () => {
  const host = chip("zenpower", {
    power1_label: "SVI2_P_Core",
    power1_input: "41000000",
    power2_label: "SVI2_P_SoC",
    power2_input: "9500000",
    power3_label: "something else",
    power3_input: "1",
  });
  const sensors = ready(await hwmonCpu.probe(host));
  const watts = await Promise.all(sensors.map(async (sensor) => (await sensor.read()).value));
  expect(watts).toEqual([41, 9.5]);
  expect(sensors.every(({ domain, kind }) => domain === "cpu" && kind === "power")).toBe(true);
});

test("boards are read by the labels of their rails, volts times amperes where the chip needs it", async () => {
  const probe = await hwmonCpu.probe(loadMachine("board-ina-rails"));
  const sensors = ready(probe);
  const seen = await Promise.all(
    sensors.map(async (sensor) => [sensor.domain, sensor.device, (await sensor.read()).value]),
  );
  expect(seen).toEqual([
    ["cpu", "hwmon0/VDD_CPU", 2.5],
    ["memory", "hwmon0/VDD_DDR", 0.44],
    ["cpu", "hwmon1/vdd-arm", 1.75],
  ]);
  expect(probe).toMatchObject({ notes: [expect.stringContaining("hwmon2")] });
});

test("a chip without a rule is left alone, however much power it reads", async () => {
  const host = chip("nct6775", { power1_label: "CPU", power1_input: "1000000" });
  expect(await hwmonCpu.probe(host)).toMatchObject({ status: "absent" });
});

test("a Jetson's monitors are left to its own provider", async () => {
  const host = loadMachine("board-ina-rails", {
    files: { "/proc/device-tree/compatible": "nvidia,p3737\0nvidia,tegra234\0" },
  });
  expect(await hwmonCpu.probe(host)).toMatchObject({ status: "absent" });
});

test("counters kept for root are denied with their remedy", async () => {
  const host = loadMachine("epyc-amd-energy", {
    files: {
      "/sys/class/hwmon/hwmon3/energy3_input": { fault: "EACCES" },
      "/sys/class/hwmon/hwmon3/energy4_input": { fault: "EACCES" },
    },
  });
  expect(await hwmonCpu.probe(host)).toMatchObject({
    status: "denied",
    remedy: expect.stringContaining("/sys/class/hwmon/hwmon3/"),
  });
});
