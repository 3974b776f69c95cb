import { expect, test } from "vitest";
import { createFakeHost, loadMachine } from "../../../test/fake-host.ts";
import { raplPowercap } from "./rapl-powercap.ts";
import type { Probe, Sensor } from "./sensor.ts";

const ready = (probe: Probe): readonly Sensor[] => {
  if (probe.status !== "ready") throw new Error(`${probe.status}: ${probe.reason}`);
  return probe.sensors;
};
const ids = (sensors: readonly Sensor[]) => sensors.map(({ id }) => id);

test("the memory of two sockets, both zones named dram, is two sensors", async () => {
  const sensors = ready(await raplPowercap.probe(loadMachine("xeon-two-sockets-dram")));
  expect(ids(sensors)).toEqual([
    "rapl-powercap:package-0",
    "rapl-powercap:package-0/dram",
    "rapl-powercap:package-1",
    "rapl-powercap:package-1/dram",
  ]);
  expect(sensors.map(({ domain }) => domain)).toEqual(["cpu", "memory", "cpu", "memory"]);
  expect(await sensors[3]?.read()).toMatchObject({ value: 8734 });
});

test("a package says when it wraps and how much it may draw", async () => {
  const [first] = ready(await raplPowercap.probe(loadMachine("xeon-two-sockets-dram")));
  // 2^32 steps of 15.26 uJ, less what the kernel leaves; the higher of 125 W and 150 W.
  expect(first?.range).toBeCloseTo(65_532.610987, 6);
  expect(first?.maxPower).toBe(150);
  expect(first?.contains).toBeUndefined();
});

test("cores are inside their package, everything is inside psys, mmio is told apart", async () => {
  const sensors = ready(await raplPowercap.probe(loadMachine("laptop-psys-mmio")));
  const by = (id: string) => sensors.find((sensor) => sensor.id === id);
  expect(by("rapl-powercap:package-0")?.contains).toEqual([
    "rapl-powercap:package-0/core",
    "rapl-powercap:package-0/uncore",
  ]);
  expect(by("rapl-powercap:mmio:package-0")?.device).toBe("package-0");
  expect(by("rapl-powercap:psys")?.contains).toHaveLength(4);
  // A limit of zero is none.
  expect(by("rapl-powercap:psys")?.maxPower).toBeUndefined();
});

test("an unreadable counter is denied and says how to allow it, now and for good", async () => {
  const probe = await raplPowercap.probe(loadMachine("desktop-locked"));
  expect(probe).toMatchObject({
    status: "denied",
    reason: expect.stringContaining("CVE-2020-8694"),
  });
  if (probe.status !== "denied") return;
  expect(probe.remedy).toContain("chmod");
  expect(probe.remedy).toContain("udev");
});

test("what can be read is used when only a part is locked", async () => {
  const host = loadMachine("desktop-locked", {
    files: { "/sys/class/powercap/intel-rapl:0/energy_uj": "5000000" },
  });
  const probe = await raplPowercap.probe(host);
  expect(ids(ready(probe))).toEqual(["rapl-powercap:package-0"]);
  expect(probe).toMatchObject({ notes: [expect.stringContaining("EACCES"), expect.anything()] });
});

test("cores without their package do not pass for the processor", async () => {
  const host = loadMachine("desktop-locked", {
    files: { "/sys/class/powercap/intel-rapl:0:0/energy_uj": "5000000" },
  });
  expect(await raplPowercap.probe(host)).toMatchObject({ status: "denied" });
});

test("a machine without the tree, and one without /sys, has no such sensor", async () => {
  for (const host of [loadMachine("guest-kvm-no-sensors"), loadMachine("container-no-sys")]) {
    expect(await raplPowercap.probe(host)).toMatchObject({ status: "absent" });
  }
});

test("a counter that holds no number rejects, and does not read zero", async () => {
  const host = loadMachine("laptop-psys-mmio");
  const [sensor] = ready(await raplPowercap.probe(host));
  host.files.set("/sys/class/powercap/intel-rapl:0/energy_uj", "\n");
  await expect(sensor?.read()).rejects.toThrow("energy_uj");
});

test("zones that the firmware names alike get ids of their own", async () => {
  const zone = (folder: string) => ({
    [`/sys/class/powercap/${folder}/name`]: "package-0",
    [`/sys/class/powercap/${folder}/energy_uj`]: "1000000",
    [`/sys/class/powercap/${folder}/max_energy_range_uj`]: "65532610987",
  });
  const host = createFakeHost({ files: { ...zone("intel-rapl:0"), ...zone("intel-rapl:1") } });
  const sensors = ready(await raplPowercap.probe(host));
  expect(ids(sensors)).toEqual(["rapl-powercap:package-0", "rapl-powercap:package-0#2"]);
  expect(new Set(sensors.map(({ device }) => device)).size).toBe(2);
});
