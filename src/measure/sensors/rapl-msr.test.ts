import { describe, expect, test } from "vitest";
import { loadMachine } from "../../../test/fake-host.ts";
import type { Host } from "../../core/index.ts";
import { energyUnit, raplMsr } from "./rapl-msr.ts";
import type { Probe, Sensor } from "./sensor.ts";

/** A recorded machine whose registers answer as told, by processor and address. */
function withRegisters(name: string, registers: Record<string, bigint>): Host {
  return {
    ...loadMachine(name, { files: { "/dev/cpu/0/msr": "", "/dev/cpu/1/msr": "" } }),
    async openFile(path) {
      const cpu = path.split("/")[3];
      return {
        async read(offset) {
          const value = registers[`${cpu}:${offset.toString(16)}`];
          if (value === undefined) throw Object.assign(new Error("EIO"), { code: "EIO" });
          const bytes = new Uint8Array(8);
          new DataView(bytes.buffer).setBigUint64(0, value, true);
          return bytes;
        },
        async close() {},
      };
    },
  };
}

const ready = (probe: Probe): readonly Sensor[] => {
  if (probe.status !== "ready") throw new Error(`${probe.status}: ${probe.reason}`);
  return probe.sensors;
};

describe("the energy unit", () => {
  // Exponent 14 in bits 12:8, with time and power fields around it, as Skylake servers read.
  const register = 0xa0e03n;
  const intel = (model: number) => ({ vendor: "GenuineIntel", family: 6, model });

  test("is 2^-ESU joules", () => {
    expect(energyUnit(register, "package", intel(85))).toBe(2 ** -14);
    expect(energyUnit(0xa1003n, "package", { vendor: "AuthenticAMD", family: 23, model: 49 })).toBe(
      2 ** -16,
    );
  });

  test("of dram is 15.3 uJ on servers from Haswell to Ice Lake, whatever the register says", () => {
    for (const model of [63, 79, 86, 85, 106, 108, 87, 133]) {
      expect(energyUnit(register, "dram", intel(model))).toBeCloseTo(15.3e-6, 7);
    }
  });

  test("of dram follows the register on clients and from Sapphire Rapids on", () => {
    for (const model of [60, 158, 143, 207]) {
      expect(energyUnit(register, "dram", intel(model))).toBe(2 ** -14);
    }
  });

  test("of psys is one joule on Sapphire Rapids", () => {
    expect(energyUnit(register, "psys", intel(143))).toBe(1);
    expect(energyUnit(register, "psys", intel(154))).toBe(2 ** -14);
  });
});

test("Intel sockets are read one each; dram has its own unit; absent domains are left out", async () => {
  const socket = (cpu: number) => ({
    [`${cpu}:606`]: 0xa0e03n,
    [`${cpu}:611`]: 0xdead_0000_8000n,
    [`${cpu}:619`]: 0x1_0000n,
    [`${cpu}:639`]: 0n,
  });
  const host = withRegisters("xeon-two-sockets-dram", { ...socket(0), ...socket(1) });
  const sensors = ready(await raplMsr.probe(host));
  expect(sensors.map(({ id }) => id)).toEqual([
    "rapl-msr:package-0",
    "rapl-msr:package-0/dram",
    "rapl-msr:package-1",
    "rapl-msr:package-1/dram",
  ]);
  // 0x8000 steps of 2^-14 J; the upper half of the register is reserved.
  expect((await sensors[0]?.read())?.value).toBe(2);
  expect((await sensors[1]?.read())?.value).toBe(1);
  expect(sensors[0]?.range).toBe(2 ** 18);
  expect(sensors[1]?.range).toBe(2 ** 16);
});

test("AMD dies of one socket are read once", async () => {
  const die = (cpu: number) => ({ [`${cpu}:c0010299`]: 0xa1003n, [`${cpu}:c001029b`]: 0x10000n });
  const host = withRegisters("threadripper-two-dies", { ...die(0), ...die(8) });
  const sensors = ready(await raplMsr.probe(host));
  expect(sensors.map(({ device }) => device)).toEqual(["package-0"]);
  expect((await sensors[0]?.read())?.value).toBe(1);
});

test("refusal, a missing module and a guest are told apart", async () => {
  expect(await raplMsr.probe(loadMachine("desktop-locked"))).toMatchObject({
    status: "denied",
    remedy: expect.stringContaining("CAP_SYS_RAWIO"),
  });
  expect(await raplMsr.probe(loadMachine("guest-kvm-no-sensors"))).toMatchObject({
    status: "absent",
    reason: expect.stringContaining("modprobe msr"),
  });
  expect(await raplMsr.probe(withRegisters("xeon-two-sockets-dram", {}))).toMatchObject({
    status: "absent",
    reason: expect.stringContaining("EIO"),
  });
});
