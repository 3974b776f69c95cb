import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { locate } from "../carbon/locate.ts";
import { loadPowerModel } from "../estimate/coefficients.ts";
import { serverPower } from "../estimate/server-power.ts";
import { compareMethods, differencesOf } from "./compare.ts";
import { METHODS } from "./methods.ts";
import { describedMachine, ownEstimate } from "./own.ts";
import { loadPeerTables } from "./tables.ts";
import { type Workload, workloadOf } from "./workload.ts";

const host = createFakeHost();
const tables = await loadPeerTables(host);
const signal = await locate(host, { location: "DE" });
const place = {
  zone: "DE",
  intensity: signal.intensity.value,
  declared: false,
  source: signal.rung,
};

const server = workloadOf({
  hours: 10,
  machine: "server",
  cpu: {
    name: "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
    tdp: 150,
    sockets: 2,
    cores: 40,
    threads: 80,
    usage: 0.5,
  },
  memoryGB: 192,
  place,
});
const own = (workload: Workload) => ownEstimate(host, workload, signal);

describe("godwit's own estimate", () => {
  test("of a server is the fitted wall power times hours and PUE, memory told apart", async () => {
    const estimate = await own({ ...server, pue: 1.2 });
    const power = serverPower(
      await loadPowerModel(host),
      { tdp: 300, memoryGB: 192, frequencyGHz: 2.5, microarchitecture: null },
      0.5,
    );
    expect(estimate.figures.energy.value).toBeCloseTo(power.value * 36_000 * 1.2, 3);
    expect(estimate.terms.map(({ name }) => name)).toEqual(["cpu", "memory"]);
    expect(estimate.figures.energy.method).toBe("estimated");
    expect(estimate.figures.emissions.value).toBeCloseTo(
      (estimate.figures.energy.value / 3.6e6) * signal.intensity.value,
      6,
    );
  });

  test("of a desktop adds supply and board, and no PUE", async () => {
    const desktop = workloadOf({
      hours: 1,
      cpu: { tdp: 65, cores: 8, usage: 1 },
      memoryGB: 32,
      place,
    });
    const { figures, terms, factors } = await own(desktop);
    const components = 65 * (0.14 + 0.55) + 32 * 0.22;
    expect(figures.energy.value / 3600).toBeCloseTo(components / 0.85 + 40, 6);
    expect(terms.map(({ name }) => name)).toEqual(["cpu", "memory", "supply"]);
    expect(factors[0]?.value).toBe(1);
  });

  test("a GPU of unknown use has a wider interval than one of known use", async () => {
    const gpu = { name: "A100 SXM4 40GB", tdp: 400, count: 8 };
    const [known, unknown] = await Promise.all(
      [0.7, null].map((usage) => own({ ...server, gpus: [{ ...gpu, usage }] })),
    );
    const width = (estimate: typeof known) =>
      (estimate?.figures.energy.high ?? 0) / (estimate?.figures.energy.low ?? 1);
    expect(width(unknown)).toBeGreaterThan(width(known));
    expect(unknown?.notes.join()).toContain("0.7 assumed");
  });

  test("half of the machine costs half", async () => {
    const [whole, half] = await Promise.all(
      [1, 0.5].map((share) => own(workloadOf({ ...server, cpu: { ...server.cpu, share } }))),
    );
    expect((half?.figures.energy.value ?? 0) / (whole?.figures.energy.value ?? 1)).toBeCloseTo(
      0.5,
      9,
    );
  });

  test("what it cannot know it asks for", async () => {
    await expect(own(workloadOf({ hours: 1, cpu: { name: "x" } }))).rejects.toMatchObject({
      hint: expect.stringContaining("--tdp"),
    });
    await expect(own(workloadOf({ hours: 1 }))).rejects.toThrow(/neither a CPU/);
  });

  test.each([
    ["AMD EPYC 7763 64-Core Processor", "server"],
    ["Intel(R) Core(TM) i7-1165G7", "laptop"],
    ["AMD Ryzen 9 5950X", "desktop"],
  ])("%s is described as a %s, wherever godwit runs", async (name, machine) => {
    const here = createFakeHost({ files: { "/sys/class/dmi/id/chassis_type": "10\n" } });
    expect(await describedMachine(here, name)).toBe(machine);
  });
});

describe("the comparison", () => {
  test("every peer is there, with its ratio to ours and the largest difference first", async () => {
    const rows = compareMethods(server, tables, await own(server));
    expect(rows.map(({ method }) => method.name)).toEqual(METHODS.map(({ name }) => name));
    for (const { differences, energyRatio, result } of rows) {
      if (result.energy.status === "unsupported") expect(energyRatio).toBeNull();
      const effects = differences
        .filter(({ unit }) => unit === "J")
        .map(({ effect }) => Math.abs(effect));
      expect(effects).toEqual([...effects].sort((a, b) => b - a));
    }
  });

  test.each([
    ["green-algorithms", /^memory: 0\.3725 W\/GB against 0\.22 W\/GB$/],
    ["codecarbon", /^cpu: TDP 300 W x cubic load curve against wall power fitted/],
    ["codecarbon", /^PUE 1 unless given against PUE 1\.56$/],
    ["codecarbon", /^memory: 5 W a module, at least 10 W against 0\.22 W\/GB$/],
    ["carbontracker", /^memory: left out, against 0\.22 W\/GB$/],
    ["boavizta", /^a third for the rest of the server against PUE 1\.56$/],
    ["strubell", /0\.954 lb\/kWh \(433 g\), the US mean of 2018 against 342/],
    ["cloud-carbon-footprint", /^cpu: 0\.69 to 4\.063 W a vCPU \(cascade-lake\) against/],
  ])("%s differs by %s", async (name, text) => {
    const rows = compareMethods(server, tables, await own(server));
    const row = rows.find(({ method }) => method.name === name);
    expect(row?.differences.map((one) => one.text)).toContainEqual(expect.stringMatching(text));
  });

  test("Carbontracker's PUE of 1.58 is named where ours is given", async () => {
    const given = { ...server, pue: 1.1 };
    const rows = compareMethods(given, tables, await own(given));
    const row = rows.find(({ method }) => method.name === "carbontracker");
    expect(row?.differences.map(({ text }) => text)).toContain("PUE 1.58 always against PUE 1.1");
  });

  test("the effects of terms and factors add up to the whole difference", async () => {
    const ours = await own(server);
    for (const { result, differences } of compareMethods(server, tables, ours)) {
      if (result.energy.status !== "answered" || ours.energy.status !== "answered") continue;
      const explained = differences
        .filter(({ unit }) => unit === "J")
        .reduce((sum, { effect }) => sum + effect, 0);
      const actual = result.energy.value - ours.energy.value;
      // Differences under 2 % are not listed.
      expect(Math.abs(explained - actual)).toBeLessThan(0.05 * ours.energy.value);
    }
  });

  test("a result does not differ from itself", async () => {
    const ours = await own(server);
    expect(differencesOf(ours, ours)).toEqual([]);
  });
});
