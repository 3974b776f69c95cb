import { describe, expect, test } from "vitest";
import { createFakeHost, type FakeFile, type FakeHost } from "../../../test/fake-host.ts";
import { amdGpu } from "./amd-gpu.ts";
import type { Probe, Sensor } from "./sensor.ts";

interface Card {
  readonly address: string;
  readonly serial?: string;
  readonly files?: Record<string, FakeFile>;
  readonly hwmon?: Record<string, FakeFile>;
}

function hostOf(cards: readonly Card[], env: Record<string, string> = {}): FakeHost {
  const files: Record<string, FakeFile> = {};
  cards.forEach(({ address, serial, files: own = {}, hwmon = {} }, index) => {
    const device = `/sys/devices/pci0000:00/${address}`;
    files[`/sys/class/drm/card${index}/device`] = { link: device };
    const all: Record<string, FakeFile> = {
      vendor: "0x1002\n",
      device: "0x740f\n",
      ...(serial === undefined ? {} : { unique_id: `${serial}\n` }),
      "hwmon/hwmon5/name": "amdgpu\n",
      "hwmon/hwmon5/power1_average": "100000000\n",
      "hwmon/hwmon5/power1_cap_max": "300000000\n",
      ...own,
    };
    for (const [name, file] of Object.entries(all)) files[`${device}/${name}`] = file;
    for (const [name, file] of Object.entries(hwmon)) {
      files[`${device}/hwmon/hwmon5/${name}`] = file;
    }
  });
  return createFakeHost({ files, env });
}

function firstOf(probe: Probe): Sensor {
  if (probe.status !== "ready") throw new Error(`${probe.status}: ${probe.reason}`);
  const [sensor] = probe.sensors;
  if (sensor === undefined) throw new Error("no sensor");
  return sensor;
}

/** gpu_metrics of a revision with its accumulator at `offset`. */
function metrics(content: number, offset: number, raw: bigint): { bytes: Uint8Array } {
  const bytes = new Uint8Array(offset + 8);
  bytes.set([bytes.length, 0, 1, content]);
  new DataView(bytes.buffer).setBigUint64(offset, raw, true);
  return { bytes };
}

const MI210 = { address: "0000:83:00.0", serial: "d9b6b1a5c0ffee01" };

/** A host whose accumulator runs at `watts` while it sleeps. */
function counting(watts: number, content = 3, offset = 24): FakeHost {
  const host = hostOf([{ ...MI210, files: { gpu_metrics: metrics(content, offset, 1n) } }]);
  const path = `/sys/devices/pci0000:00/${MI210.address}/gpu_metrics`;
  const update = () => {
    const joules = 5000 + (watts * Number(host.monotonic())) / 1e9;
    host.files.set(path, metrics(content, offset, BigInt(Math.round(joules * 65536))));
  };
  update();
  const sleep = host.sleep;
  return Object.assign(host, {
    sleep: async (milliseconds: number) => {
      await sleep(milliseconds);
      update();
    },
  });
}

describe("power of an AMD board", () => {
  test("is read in microwatts, under the name that ROCm uses", async () => {
    const sensor = firstOf(await amdGpu.probe(hostOf([MI210])));
    expect(sensor).toMatchObject({
      device: "GPU-d9b6b1a5c0ffee01",
      kind: "power",
      method: "sampled",
      maxPower: 300,
    });
    expect((await sensor.read()).value).toBe(100);
  });

  test("newer boards tell a moment instead of an average", async () => {
    const card: Card = {
      ...MI210,
      hwmon: { power1_average: { fault: "ENOENT" }, power1_input: "42000000\n" },
    };
    const sensor = firstOf(await amdGpu.probe(hostOf([card])));
    expect(sensor.source).toContain("power1_input");
    expect((await sensor.read()).value).toBe(42);
  });

  test("an APU's power includes its CPU and is not counted beside it", async () => {
    const apu: Card = { address: "0000:05:00.0", hwmon: { in1_label: "vddnb\n" } };
    const probe = await amdGpu.probe(hostOf([apu]));
    expect(probe).toMatchObject({
      status: "absent",
      reason: expect.stringContaining("integrated"),
    });
  });

  test("a die that reports zero has no sensor: its module is counted once", async () => {
    const second: Card = { address: "0000:84:00.0", hwmon: { power1_average: "0\n" } };
    const probe = await amdGpu.probe(hostOf([MI210, second]));
    expect(probe).toMatchObject({ status: "ready", sensors: { length: 1 } });
    expect(JSON.stringify(probe)).toContain("no power sensor of its own");
  });

  test("unreadable power is denied", async () => {
    const card: Card = { ...MI210, hwmon: { power1_average: { fault: "EACCES" } } };
    expect((await amdGpu.probe(hostOf([card]))).status).toBe("denied");
  });

  test("a file that is no number rejects", async () => {
    const host = hostOf([MI210]);
    const sensor = firstOf(await amdGpu.probe(host));
    const path = `/sys/devices/pci0000:00/${MI210.address}/hwmon/hwmon5/power1_average`;
    host.files.set(path, "\n");
    await expect(sensor.read()).rejects.toThrow("not a number");
  });

  test("ROCR_VISIBLE_DEVICES chooses by unique id", async () => {
    const other = { address: "0000:84:00.0", serial: "00000000000000aa" };
    const env = { ROCR_VISIBLE_DEVICES: "GPU-00000000000000aa" };
    const probe = await amdGpu.probe(hostOf([MI210, other], env));
    expect(firstOf(probe).device).toBe("GPU-00000000000000aa");
    expect(probe).toMatchObject({ sensors: { length: 1 } });
  });
});

describe("the energy accumulator", () => {
  // kgd_pp_interface.h: revisions 1.1 to 1.4 have it at byte 24, 1.5 at byte 88; 2^-16 J each.
  test.each([
    [3, 24],
    [4, 24],
    [5, 88],
  ])("of revision 1.%d is trusted when it agrees with power", async (content, offset) => {
    const sensor = firstOf(await amdGpu.probe(counting(105, content, offset)));
    expect(sensor).toMatchObject({ kind: "counter", method: "measured" });
    const { value } = await sensor.read();
    expect(value).toBeCloseTo(5000 + 105 * 1.5, 3);
  });

  test.each([0, 1, 5000, -40])("is not trusted at %d W beside 100 W", async (watts) => {
    const probe = await amdGpu.probe(counting(watts));
    expect(firstOf(probe).kind).toBe("power");
    expect(JSON.stringify(probe)).toContain("is not used");
  });

  test("of an unknown revision, or one that does not count, is left alone", async () => {
    for (const gpu_metrics of [metrics(0, 24, 9n), metrics(8, 24, 9n), metrics(3, 24, 0n)]) {
      const probe = await amdGpu.probe(hostOf([{ ...MI210, files: { gpu_metrics } }]));
      expect(firstOf(probe).kind).toBe("power");
    }
  });
});
