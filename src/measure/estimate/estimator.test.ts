import { beforeEach, describe, expect, test } from "vitest";
import { createFakeHost, type FakeHost, type FakeMachine } from "../../../test/fake-host.ts";
import { parseProcStat } from "../sensors/busy-time.ts";
import type { Sensor } from "../sensors/sensor.ts";
import { factorsOf, model, modelledIdlePower } from "./estimator.ts";
import { planEstimate } from "./plan.ts";

/** Processors of /proc/cpuinfo, one thread a core or two. */
const cpuinfo = (cpu: {
  readonly name: string;
  readonly numbers: readonly [vendor: string, family: number, model: number, stepping: number];
  readonly sockets?: number;
  readonly coresPerSocket: number;
  readonly flags?: string;
}): string => {
  const [vendor, family, number, stepping] = cpu.numbers;
  const blocks: string[] = [];
  for (let thread = 0; thread < 2; thread++) {
    for (let socket = 0; socket < (cpu.sockets ?? 1); socket++) {
      for (let core = 0; core < cpu.coresPerSocket; core++) {
        blocks.push(
          `processor\t: ${blocks.length}\nvendor_id\t: ${vendor}\ncpu family\t: ${family}\n` +
            `model\t\t: ${number}\nmodel name\t: ${cpu.name}\nstepping\t: ${stepping}\n` +
            `physical id\t: ${socket}\ncore id\t\t: ${core}\nbogomips\t: 4900.00\n` +
            `flags\t\t: fpu ${cpu.flags ?? ""}\n`,
        );
      }
    }
  }
  return blocks.join("\n");
};

/** Ticks of 10 ms; idle, iowait and steal are large to show that they do not count. */
const stat = (busyTicks: number, processors: number): string =>
  `cpu  ${busyTicks} 0 0 999999 888888 0 0 777777 0 0\n${Array.from(
    { length: processors },
    (_, i) => `cpu${i} 0 0 0 0 0 0 0 0 0 0\n`,
  ).join("")}`;

const milan: FakeMachine = {
  files: {
    "/proc/cpuinfo": cpuinfo({
      name: "AMD EPYC 7763 64-Core Processor",
      numbers: ["AuthenticAMD", 25, 1, 1],
      sockets: 2,
      coresPerSocket: 64,
    }),
    "/proc/stat": stat(0, 256),
  },
  facts: { memoryBytes: 256e9, cpuName: "AMD EPYC 7763 64-Core Processor", threads: 256 },
};

/** As clouds show it: no model number in the name, no topology in DMI. */
const genoaGuest: FakeMachine = {
  files: {
    "/proc/cpuinfo": cpuinfo({
      name: "AMD EPYC",
      numbers: ["AuthenticAMD", 25, 17, 1],
      coresPerSocket: 2,
      flags: "hypervisor",
    }),
    "/proc/stat": stat(0, 4),
  },
  facts: { memoryBytes: 16e9, cpuName: "AMD EPYC", threads: 4 },
};

const desktop: FakeMachine = {
  files: {
    "/proc/cpuinfo": cpuinfo({
      name: "Intel(R) Core(TM) i9-13900K",
      numbers: ["GenuineIntel", 6, 183, 1],
      coresPerSocket: 16,
    }),
    "/proc/stat": stat(0, 32),
    "/sys/class/dmi/id/chassis_type": "3\n",
  },
  facts: { memoryBytes: 32e9, cpuName: "Intel(R) Core(TM) i9-13900K", threads: 32 },
};

async function sensorsOf(host: FakeHost): Promise<Record<"cpu" | "memory", Sensor>> {
  const probe = await model.probe(host);
  if (probe.status !== "ready") throw new Error("the model is never absent");
  const of = (domain: string): Sensor => {
    const found = probe.sensors.find((sensor) => sensor.domain === domain);
    if (found === undefined) throw new Error(`no sensor of ${domain}`);
    return found;
  };
  return { cpu: of("cpu"), memory: of("memory") };
}

/** Joules of one second at a load, by the counters. */
async function secondAt(machine: FakeMachine, load: number): Promise<Record<string, number>> {
  const host = createFakeHost(machine);
  const { cpu, memory } = await sensorsOf(host);
  const processors = machine.facts?.threads ?? 1;
  const before = [await cpu.read(), await memory.read()];
  host.advance(1000);
  host.files.set("/proc/stat", stat(Math.round(100 * load * processors), processors));
  const after = [await cpu.read(), await memory.read()];
  const [cpuJ = 0, memoryJ = 0] = after.map(({ value }, i) => value - (before[i]?.value ?? 0));
  return { cpu: cpuJ, memory: memoryJ };
}

describe("a server of two EPYC 7763 with 256 GB", () => {
  // SPECpower_ssj2008 results of such systems: 79 to 122 W idle, 406 to 468 W at full load.
  test("idles and runs near what such systems were measured at", async () => {
    const idle = await secondAt(milan, 0);
    const full = await secondAt(milan, 1);
    const total = (second: Record<string, number>) =>
      (second["cpu"] ?? 0) + (second["memory"] ?? 0);
    expect(total(idle)).toBeGreaterThan(79 * 0.8);
    expect(total(idle)).toBeLessThan(122 * 1.2);
    expect(total(full)).toBeGreaterThan(406);
    expect(total(full)).toBeLessThan(468 * 1.25);
  });

  test("memory and the rest add up to the fitted wall power", async () => {
    const second = await secondAt(milan, 1);
    // 330.3 W x (560/300)^0.8054 x (256/200)^0.1908 x (2.45/2.4)^-0.2107.
    expect((second["cpu"] ?? 0) + (second["memory"] ?? 0)).toBeCloseTo(569.9, 0);
    expect(second["memory"]).toBeCloseTo(0.22 * 256, 6);
  });

  test("says its formula, its scope and that the systems fitted on are of its kind", async () => {
    const { cpu } = await sensorsOf(createFakeHost(milan));
    expect(cpu.scope).toBe("wall");
    expect(cpu.method).toBe("estimated");
    expect(cpu.source).toContain("(560 W / 300 W)^");
    expect(cpu.source).toContain("(2.45 GHz / 2.4 GHz)^");
    expect(cpu.source).toContain("among the systems fitted on");
  });
});

describe("a cloud guest that is shown only `AMD EPYC`", () => {
  test("gets its threads' share of a Genoa server, by family 25 model 17", async () => {
    const { cpu } = await sensorsOf(createFakeHost(genoaGuest));
    expect(cpu.scope).toBe("wall");
    expect(cpu.source).toContain("zen4");
    expect((await secondAt(genoaGuest, 1))["cpu"]).toBeCloseTo(4 * 1.854, 6);
  });

  test("pays for the memory beyond what such servers have a thread", async () => {
    // 16 GB less 1 GB for each of 4 threads.
    expect((await secondAt(genoaGuest, 0))["memory"]).toBeCloseTo(0.22 * 12, 6);
  });

  test("a guest without any identification is told to be unknown, with a wide interval", async () => {
    const files = { "/proc/cpuinfo": "processor\t: 0\nflags\t: hypervisor\n" };
    const host = createFakeHost({ files: { ...files, "/proc/stat": stat(0, 1) } });
    const { cpu } = await sensorsOf(host);
    expect(cpu.source).toContain("not among those measured");
    const { low, high } = cpu.error as { low: number; high: number };
    expect(high / low).toBeGreaterThan(5);
  });
});

describe("a desktop", () => {
  test("is its package and its memory, without supply and board", async () => {
    const { cpu, memory } = await sensorsOf(createFakeHost(desktop));
    expect([cpu.scope, memory.scope]).toEqual(["component", "component"]);
    // i9-13900K: 125 W.
    expect((await secondAt(desktop, 1))["cpu"]).toBeCloseTo(125 * 0.69, 6);
  });

  test("of an unknown processor says what was assumed", async () => {
    const name = "Fictional CPU 1";
    const text = cpuinfo({ name, numbers: ["Fictional", 1, 1, 1], coresPerSocket: 6 });
    const files = { ...desktop.files, "/proc/cpuinfo": text };
    const { cpu } = await sensorsOf(createFakeHost({ ...desktop, files }));
    expect(cpu.source).toContain("TDP unknown, 8 W for each of 6 cores assumed: 48 W");
  });

  test("of a processor that nobody names is still a sentence", async () => {
    const facts = { cpuName: "", threads: 4, memoryBytes: 16e9 };
    const { cpu } = await sensorsOf(createFakeHost({ ...desktop, files: {}, facts }));
    expect(cpu.source).toMatch(/^a processor without a name: TDP unknown/);
  });

  test("not on Linux, where there is no /proc, is told by Node's own times", async () => {
    const host = createFakeHost({
      platform: "win32",
      facts: { cpuName: "12th Gen Intel(R) Core(TM) i7-12700H", threads: 20, memoryBytes: 16e9 },
    });
    const { cpu } = await sensorsOf(host);
    expect(cpu.source).toContain("TDP 45 W");
    const notes = (await planEstimate(host)).notes.join("; ");
    expect(notes).toContain("taken as a laptop");
    expect(notes).toContain("number of sockets unknown, 1 assumed");
    expect(notes).toContain("number of cores unknown, 10 assumed");
    await expect(cpu.read()).resolves.toMatchObject({ value: 0 });
  });
});

describe("the counter", () => {
  let host: FakeHost;
  beforeEach(() => {
    host = createFakeHost(desktop);
  });

  test("adds power times time, whatever the number of readings", async () => {
    const { cpu } = await sensorsOf(host);
    const start = await cpu.read();
    for (let second = 1; second <= 10; second++) {
      host.advance(1000);
      host.files.set("/proc/stat", stat(1600 * second, 32));
      await cpu.read();
    }
    const end = await cpu.read();
    // Half of 32 processors: 0.14 + 0.55 x 0.5^0.7 of 125 W for 10 s.
    const expected = 10 * 125 * (0.14 + 0.55 * 0.5 ** 0.7);
    expect(end.value - start.value).toBeCloseTo(expected, 6);
  });

  test("takes the processors' time over running ones, without idle, iowait and steal", () => {
    const text = "cpu  100 20 30 1000 500 4 6 900 50 0\ncpu0 1 0\ncpu3 1 0\nintr 5\n";
    expect(parseProcStat(text)).toEqual({ busyS: 1.6, processors: 2 });
    expect(() => parseProcStat("intr 5\n")).toThrow("no line of all processors");
  });

  test("rejects once when CPU time runs backwards, then goes on", async () => {
    const { cpu } = await sensorsOf(host);
    host.files.set("/proc/stat", stat(5000, 32));
    await cpu.read();
    host.advance(1000);
    host.files.set("/proc/stat", stat(10, 32));
    await expect(cpu.read()).rejects.toThrow("backwards");
    host.advance(1000);
    host.files.set("/proc/stat", stat(3210, 32));
    const { value } = await cpu.read();
    expect(value).toBeCloseTo(125 * 0.69, 6);
  });

  test("a /proc/stat that may not be read is a fault, not 0 J", async () => {
    const { cpu } = await sensorsOf(host);
    host.files.set("/proc/stat", { fault: "EACCES" });
    await expect(cpu.read()).rejects.toThrow("EACCES");
  });
});

test("the idle power is that of load 0, by sensor id", async () => {
  const host = createFakeHost(desktop);
  const idle = await modelledIdlePower(host);
  expect(idle["model:cpu"]?.value).toBeCloseTo(125 * 0.14, 9);
  expect(idle["model:memory"]?.value).toBeCloseTo(0.22 * 32, 9);
});

test("one pair of factors stands for all loads: the geometric mean of theirs", async () => {
  const { parts } = await planEstimate(createFakeHost(milan));
  const [cpu] = parts;
  if (cpu === undefined) throw new Error("no CPU part");
  const factors = factorsOf(cpu);
  const bounds = [0, 0.5, 1].map((load) => {
    const { low, value, high } = cpu.power(load);
    return { low: low / value, high: high / value };
  });
  expect(factors.low).toBeGreaterThan(Math.min(...bounds.map(({ low }) => low)));
  expect(factors.low).toBeLessThan(1);
  expect(factors.high).toBeLessThan(Math.max(...bounds.map(({ high }) => high)));
  expect(factors.high).toBeGreaterThan(1);
});
