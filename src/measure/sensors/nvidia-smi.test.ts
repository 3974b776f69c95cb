import { describe, expect, test } from "vitest";
import { createFakeHost, type FakeMachine } from "../../../test/fake-host.ts";
import { nvidiaSmi } from "./nvidia-smi.ts";
import type { Probe, Sensor } from "./sensor.ts";

const UUID = [
  "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6",
  "GPU-1111f937-d72c-4106-c12f-20bd9faed9f8",
];
type Cells = Record<string, string>;
const gpu = (index: number, changes: Cells = {}): Cells => ({
  index: String(index),
  uuid: UUID[index] ?? "",
  name: "NVIDIA GeForce RTX 3090",
  "power.draw.average": "101.50",
  "power.draw": "100.25",
  "power.max_limit": "350.00",
  "mig.mode.current": "[N/A]",
  ...changes,
});

/** An nvidia-smi that knows the fields given, and counts its calls. */
function fakeSmi(rows: readonly Cells[], unknown: readonly string[] = []) {
  const calls: string[] = [];
  const program = (args: readonly string[]) => {
    const fields = (args[0] ?? "").replace("--query-gpu=", "").split(",");
    calls.push(fields.join(","));
    const bad = fields.find((field) => unknown.includes(field));
    if (bad !== undefined) {
      return { stdout: `Field "${bad}" is not a valid field to query.\n\n`, code: 2 };
    }
    const lines = rows.map((row) => fields.map((field) => row[field] ?? "[N/A]").join(", "));
    return { stdout: `${lines.join("\n")}\n` };
  };
  return { calls, program };
}

const hostOf = (program: (args: readonly string[]) => object, machine: FakeMachine = {}) =>
  createFakeHost({ commands: { "nvidia-smi": program }, ...machine });
const says = (stdout: string, code: number) => hostOf(() => ({ stdout, code }));

function firstOf(probe: Probe): Sensor {
  if (probe.status !== "ready") throw new Error(`${probe.status}: ${probe.reason}`);
  const [sensor] = probe.sensors;
  if (sensor === undefined) throw new Error("no sensor");
  return sensor;
}

describe("nvidia-smi", () => {
  test("gives the average power of each board", async () => {
    const { program } = fakeSmi([gpu(0), gpu(1)]);
    const probe = await nvidiaSmi.probe(hostOf(program));
    expect(firstOf(probe)).toMatchObject({
      id: `nvidia-smi:${UUID[0]}`,
      device: UUID[0],
      kind: "power",
      method: "sampled",
      maxPower: 350,
    });
    expect((await firstOf(probe).read()).value).toBe(101.5);
    expect(probe).toMatchObject({ sensors: { length: 2 } });
  });

  test("is asked again without the fields that an old version does not know", async () => {
    const unknown = ["power.draw.average", "mig.mode.current"];
    const { program } = fakeSmi([gpu(0)], unknown);
    const sensor = firstOf(await nvidiaSmi.probe(hostOf(program)));
    expect(sensor.source).toContain("power.draw,");
    expect((await sensor.read()).value).toBe(100.25);
  });

  test.each(["[N/A]", "N/A", "[Not Supported]", "[Unknown Error]", ""])(
    "%j is not a power",
    async (word) => {
      const { program } = fakeSmi([gpu(0, { "power.draw.average": word })]);
      expect(firstOf(await nvidiaSmi.probe(hostOf(program))).source).toContain("power.draw,");
      const none = fakeSmi([gpu(0, { "power.draw.average": word, "power.draw": word })]);
      expect((await nvidiaSmi.probe(hostOf(none.program))).status).toBe("absent");
    },
  );

  test("one process answers for all boards of one instant", async () => {
    const { calls, program } = fakeSmi([gpu(0), gpu(1)]);
    const host = hostOf(program);
    const probe = await nvidiaSmi.probe(host);
    if (probe.status !== "ready") throw new Error(probe.reason);
    calls.length = 0;
    await Promise.all(probe.sensors.map((sensor) => sensor.read()));
    expect(calls).toHaveLength(1);
    host.advance(1000);
    await Promise.all(probe.sensors.map((sensor) => sensor.read()));
    expect(calls).toHaveLength(2);
  });

  test("obeys CUDA_VISIBLE_DEVICES", async () => {
    const { program } = fakeSmi([gpu(0), gpu(1)]);
    const probe = await nvidiaSmi.probe(hostOf(program, { env: { CUDA_VISIBLE_DEVICES: "1" } }));
    expect(firstOf(probe).device).toBe(UUID[1]);
    expect(probe).toMatchObject({ sensors: { length: 1 } });
  });

  test("with MIG on, says that power is the whole board's", async () => {
    const { program } = fakeSmi([gpu(0, { "mig.mode.current": "Enabled" })]);
    expect(firstOf(await nvidiaSmi.probe(hostOf(program))).source).toContain("whole board");
  });

  test("is absent where it is not installed, and looked for where WSL puts it", async () => {
    expect((await nvidiaSmi.probe(createFakeHost())).status).toBe("absent");
    const { program } = fakeSmi([gpu(0)]);
    const wsl = createFakeHost({ commands: { "/usr/lib/wsl/lib/nvidia-smi": program } });
    expect((await nvidiaSmi.probe(wsl)).status).toBe("ready");
  });

  test("one that hangs is absent after its deadline", async () => {
    const host = hostOf(() => {
      throw new Error("nvidia-smi did not answer within 2000 ms");
    });
    expect(await nvidiaSmi.probe(host)).toMatchObject({
      status: "absent",
      reason: expect.stringContaining("did not answer"),
    });
  });

  // Messages as the program prints them, on stdout.
  test.each([
    ["Failed to initialize NVML: Driver/library version mismatch", 18, "denied"],
    ["Failed to initialize NVML: Insufficient Permissions", 4, "denied"],
    [
      "Unable to determine the device handle for GPU 0000:3B:00.0: GPU is lost.  Reboot the system to recover this GPU",
      15,
      "denied",
    ],
    ["No devices were found", 6, "absent"],
    ["NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", 9, "absent"],
    ["Segmentation fault", 139, "absent"],
    ["<html>not a table</html>", 0, "absent"],
    ["a, b, c, d, e, f, g", 0, "absent"],
    ["", 0, "absent"],
  ])("%j with code %d is %s", async (stdout, code, status) => {
    const probe = await nvidiaSmi.probe(says(stdout, code));
    expect(probe.status).toBe(status);
    expect(probe).toMatchObject({ reason: expect.stringMatching(/./) });
  });

  test("a reading rejects when a board or its power is gone, and never says zero", async () => {
    const rows = [gpu(0), gpu(1)];
    const host = hostOf((args) => fakeSmi(rows).program(args));
    const sensor = firstOf(await nvidiaSmi.probe(host));
    rows[0] = gpu(0, { "power.draw.average": "[GPU is lost]" });
    host.advance(1000);
    await expect(sensor.read()).rejects.toThrow("[GPU is lost]");
    rows.shift();
    host.advance(1000);
    await expect(sensor.read()).rejects.toThrow("no longer lists");
  });
});
