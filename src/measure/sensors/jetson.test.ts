import { describe, expect, test } from "vitest";
import { createFakeHost, loadMachine } from "../../../test/fake-host.ts";
import { jetson } from "./jetson.ts";
import type { Probe, Sensor } from "./sensor.ts";

function sensorsOf(probe: Probe): readonly Sensor[] {
  if (probe.status !== "ready") throw new Error(`${probe.status}: ${probe.reason}`);
  return probe.sensors;
}
const find = (sensors: readonly Sensor[], device: string): Sensor => {
  const sensor = sensors.find((candidate) => candidate.device === device);
  if (sensor === undefined) throw new Error(`no ${device}`);
  return sensor;
};

describe("a module whose input is measured (Orin NX)", () => {
  test("VDD_IN is the machine, and the other rails are inside it", async () => {
    const sensors = sensorsOf(await jetson.probe(loadMachine("gpu-jetson-orin-nx")));
    const machine = sensors.filter(({ domain }) => domain === "machine");
    expect(machine).toHaveLength(1);
    expect(machine[0]).toMatchObject({
      device: "VDD_IN",
      scope: "component",
      contains: ["jetson:VDD_CPU_GPU_CV", "jetson:VDD_SOC"],
    });
    // 5.016 V x 1.2 A.
    expect((await machine[0]?.read())?.value).toBeCloseTo(6.0192, 9);
  });
});

describe("a module without an input rail (AGX Orin)", () => {
  const host = loadMachine("gpu-jetson-agx-orin");

  test("its rails add up, the memory rail not twice", async () => {
    const sensors = sensorsOf(await jetson.probe(host));
    const machine = sensors.find(({ domain }) => domain === "machine");
    // VDD_GPU_SOC + VDD_CPU_CV + VIN_SYS_5V0; VDDQ_VDD2_1V8AO is fed by VIN_SYS_5V0.
    const expected = 19.936 * 0.176 + 19.936 * 0.04 + 4.968 * 0.976;
    expect((await machine?.read())?.value).toBeCloseTo(expected, 9);
    expect(machine?.contains).toHaveLength(4);
    expect(find(sensors, "VIN_SYS_5V0").contains).toEqual(["jetson:VDDQ_VDD2_1V8AO"]);
  });

  test("the GPU has a rail of its own; unconnected channels and sums are no rails", async () => {
    const sensors = sensorsOf(await jetson.probe(host));
    expect(find(sensors, "VDD_GPU_SOC").domain).toBe("gpu");
    expect(sensors.map(({ device }) => device)).not.toContain("NC");
    expect(sensors.map(({ device }) => device)).not.toContain("sum of shunt voltages");
  });

  test("the sum rejects when one of its rails cannot be read", async () => {
    const faulty = loadMachine("gpu-jetson-agx-orin");
    const machine = sensorsOf(await jetson.probe(faulty)).find(
      ({ domain }) => domain === "machine",
    );
    faulty.files.set("/sys/class/hwmon/hwmon3/curr2_input", { fault: "EIO" });
    await expect(machine?.read()).rejects.toThrow("EIO");
  });
});

test("JetPack 4 tells milliwatts (Nano)", async () => {
  const path = "/sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0";
  const host = createFakeHost({
    files: {
      "/proc/device-tree/model": "NVIDIA Jetson Nano Developer Kit\0",
      [`${path}/rail_name_0`]: "POM_5V_IN\n",
      [`${path}/in_power0_input`]: "2500\n",
      [`${path}/rail_name_1`]: "POM_5V_GPU\n",
      [`${path}/in_power1_input`]: "400\n",
    },
  });
  const sensors = sensorsOf(await jetson.probe(host));
  expect((await find(sensors, "POM_5V_IN").read()).value).toBe(2.5);
  expect(find(sensors, "POM_5V_IN").contains).toEqual(["jetson:POM_5V_GPU"]);
});

test("an INA3221 on another board is not a Jetson", async () => {
  const files = { "/sys/class/hwmon/hwmon0/name": "ina3221\n" };
  expect((await jetson.probe(createFakeHost({ files }))).status).toBe("absent");
});

test("a rail that nobody knows is mentioned and not counted", async () => {
  const host = loadMachine("gpu-jetson-orin-nx", {
    files: { "/sys/class/hwmon/hwmon1/in3_label": "VDD_NEW\n" },
  });
  const probe = await jetson.probe(host);
  expect(JSON.stringify(probe)).toContain("VDD_NEW is not known");
  expect(sensorsOf(probe).map(({ device }) => device)).not.toContain("VDD_NEW");
});
