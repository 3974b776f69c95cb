import { describe, expect, test } from "vitest";
import { createFakeHost, type FakeFile } from "../../../test/fake-host.ts";
import { machineClassOf } from "./machine-class.ts";
import { nominalFrequency } from "./nominal-frequency.ts";

const classOf = async (
  cpuName: string,
  files: Record<string, FakeFile> = {},
  hypervisor = false,
): Promise<string> =>
  (
    await machineClassOf(createFakeHost({ files }), {
      cpuName,
      microarchitecture: null,
      hypervisor,
    })
  ).machine;

const chassis = (type: number): Record<string, FakeFile> => ({
  "/sys/class/dmi/id/chassis_type": `${type}\n`,
});
const battery = (scope: string): Record<string, FakeFile> => ({
  "/sys/class/power_supply/BAT0/type": "Battery\n",
  "/sys/class/power_supply/BAT0/scope": `${scope}\n`,
});

describe("the class of a machine", () => {
  test("a hypervisor comes before all", async () => {
    expect(await classOf("AMD EPYC", chassis(23), true)).toBe("guest");
  });

  test.each([
    [3, "desktop"],
    [10, "laptop"],
    [23, "server"],
    [31, "laptop"],
  ])("chassis type %i is a %s", async (type, machine) => {
    expect(await classOf("some CPU", chassis(type))).toBe(machine);
  });

  test("a tower with a server processor is a server, another a desktop", async () => {
    expect(await classOf("Intel(R) Xeon(R) Gold 6140 CPU @ 2.30GHz", chassis(7))).toBe("server");
    expect(await classOf("Intel(R) Core(TM) i9-13900K", chassis(7))).toBe("desktop");
  });

  test("a battery makes a laptop, a mouse's battery does not", async () => {
    expect(await classOf("some CPU", battery("System"))).toBe("laptop");
    expect(await classOf("some CPU", battery("Device"))).toBe("desktop");
  });

  test("a folder that may not be read says nothing", async () => {
    const files = { "/sys/class/dmi/id/chassis_type": { fault: "EACCES" } };
    expect(await classOf("AMD EPYC 7763 64-Core Processor", files)).toBe("server");
  });

  test.each([
    ["AMD EPYC 9654 96-Core Processor", "server"],
    ["Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz", "server"],
    ["Intel(R) Xeon(R) CPU E3-1240 V2 @ 3.40GHz", "desktop"],
    ["Intel(R) Xeon(R) W-2245 CPU @ 3.90GHz", "desktop"],
    ["Intel(R) Xeon(R) w5-3435X", "desktop"],
    ["11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz", "laptop"],
    ["12th Gen Intel(R) Core(TM) i7-12700H", "laptop"],
    ["AMD Ryzen 7 5800U with Radeon Graphics", "laptop"],
    ["Intel(R) Core(TM) i9-13900K", "desktop"],
    ["AMD Ryzen 7 5800X 8-Core Processor", "desktop"],
  ])("by its processor alone, %s is in a %s", async (name, machine) => {
    expect(await classOf(name)).toBe(machine);
  });

  test("a Mac with an internal battery is a laptop", async () => {
    const host = createFakeHost({
      platform: "darwin",
      commands: { pmset: () => ({ stdout: " -InternalBattery-0 (id=1)\t100%; charged;" }) },
    });
    const known = { cpuName: "Apple M2", microarchitecture: null, hypervisor: false };
    expect((await machineClassOf(host, known)).machine).toBe("laptop");
  });
});

describe("the nominal frequency", () => {
  const from = (files: Record<string, FakeFile>, name = "AMD EPYC", arch = "x64") =>
    nominalFrequency(createFakeHost({ files, arch }), name);
  const cpu = "/sys/devices/system/cpu/cpu0";

  test("is in the name, in sysfs, or half of BogoMIPS", async () => {
    expect(await from({}, "Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz")).toBe(2.4);
    expect(await from({ [`${cpu}/cpufreq/base_frequency`]: "2000000\n" })).toBe(2);
    expect(await from({ [`${cpu}/acpi_cppc/nominal_freq`]: "2450\n" })).toBe(2.45);
    expect(await from({ "/proc/cpuinfo": "bogomips\t: 5192.26\n" })).toBe(2.6);
  });

  test("is unknown rather than absurd: ARM counts BogoMIPS otherwise", async () => {
    expect(await from({ "/proc/cpuinfo": "BogoMIPS\t: 50.00\n" }, "", "arm64")).toBeNull();
    expect(await from({ "/proc/cpuinfo": "bogomips\t: 50.00\n" })).toBeNull();
    expect(await from({})).toBeNull();
  });
});
