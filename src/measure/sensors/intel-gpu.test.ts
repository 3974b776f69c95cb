import { expect, test } from "vitest";
import { loadMachine } from "../../../test/fake-host.ts";
import { intelGpu } from "./intel-gpu.ts";
import type { Probe, Sensor } from "./sensor.ts";

const HWMON = "/sys/devices/pci0000:00/0000:03:00.0/hwmon/hwmon2";

function onlyOf(probe: Probe): Sensor {
  if (probe.status !== "ready") throw new Error(`${probe.status}: ${probe.reason}`);
  const [sensor, ...more] = probe.sensors;
  if (sensor === undefined || more.length > 0) throw new Error("not one sensor");
  return sensor;
}

test("a discrete card counts its energy in microjoules; its tiles are not counted again", async () => {
  const sensor = onlyOf(await intelGpu.probe(loadMachine("gpu-arc-a770")));
  expect(sensor).toMatchObject({
    id: "intel-gpu:0000:03:00.0",
    kind: "counter",
    method: "measured",
    maxPower: 190,
  });
  expect((await sensor.read()).value).toBeCloseTo(123.456789, 9);
});

test("integrated graphics are mentioned: their energy is in the CPU package", async () => {
  expect(JSON.stringify(await intelGpu.probe(loadMachine("gpu-arc-a770")))).toContain(
    "0000:00:02.0: integrated",
  );
});

test("xe labels the card and its package: the card is what is counted", async () => {
  const host = loadMachine("gpu-arc-a770", {
    files: {
      [`${HWMON}/name`]: "xe\n",
      [`${HWMON}/energy1_label`]: "pkg\n",
      [`${HWMON}/energy2_label`]: "card\n",
      [`${HWMON}/energy2_input`]: "200000000\n",
    },
  });
  expect((await onlyOf(await intelGpu.probe(host)).read()).value).toBe(200);
});

test("a counter that drops for once is a gap", async () => {
  const host = loadMachine("gpu-arc-a770");
  const sensor = onlyOf(await intelGpu.probe(host));
  await sensor.read();
  host.files.set(`${HWMON}/energy1_input`, "5\n");
  await expect(sensor.read()).rejects.toThrow("fell");
  host.files.set(`${HWMON}/energy1_input`, "130000000\n");
  expect((await sensor.read()).value).toBe(130);
});

test("an unreadable counter is denied", async () => {
  const files = { [`${HWMON}/energy1_input`]: { fault: "EACCES" } };
  const probe = await intelGpu.probe(loadMachine("gpu-arc-a770", { files }));
  expect(probe).toMatchObject({ status: "denied", remedy: expect.stringMatching(/readable/) });
});

test("a card that disappears mid-run rejects", async () => {
  const host = loadMachine("gpu-arc-a770");
  const sensor = onlyOf(await intelGpu.probe(host));
  host.files.delete(`${HWMON}/energy1_input`);
  await expect(sensor.read()).rejects.toThrow("ENOENT");
});
