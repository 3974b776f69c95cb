// What holds for every method: linear in time, never falling with load or rated power, never a zero in
// place of an answer, constants with a source.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { joules } from "../../core/index.ts";
import { findMethod, METHODS } from "./methods.ts";
import { loadPeerTables } from "./tables.ts";
import { type Workload, workloadOf } from "./workload.ts";

const tables = await loadPeerTables(createFakeHost());

const full: Workload = workloadOf({
  hours: 5,
  machine: "server",
  cpu: {
    name: "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
    tdp: 150,
    sockets: 2,
    cores: 40,
    threads: 80,
    usage: 0.6,
  },
  gpus: [{ name: "A100 SXM4 40GB", tdp: 400, count: 4, usage: 0.9 }],
  memoryGB: 384,
  usedMemoryGB: 100,
  place: { zone: "DE", intensity: 342, declared: false, source: "Ember" },
  transferGB: 3,
  storage: { kind: "hdd", terabytes: 4 },
  requests: { count: 10, outputTokens: 300, activeParameters: 8e9, totalParameters: 8e9 },
});

const energyOf = (name: string, workload: Workload): number => {
  const { energy } = findMethod(name).estimate(workload, tables);
  return energy.status === "answered" ? energy.value : Number.NaN;
};

const withCpu = (changes: Partial<NonNullable<Workload["cpu"]>>): Workload =>
  workloadOf({ ...full, cpu: { ...full.cpu, ...changes } });

/** Methods that count requests or bytes, for which time does not matter. */
const TIMELESS = new Set(["ecologits", "co2js"]);
/** Methods that read counters and have no model of a CPU. */
const COUNTING = new Set(["codecarbon-rapl", "greenness-toolkit"]);
const modelled = METHODS.map(({ name }) => name).filter((name) => !COUNTING.has(name));

describe.each(METHODS.map((method) => [method.name, method] as const))("%s", (name, method) => {
  test("has a version, a source, and a source for every constant", () => {
    expect(name).toMatch(/^[a-z0-9-]+$/);
    for (const text of [method.title, method.version, method.source]) expect(text).not.toBe("");
    for (const constant of Object.values(method.constants)) {
      expect(constant.source).not.toBe("");
      expect(constant.unit).not.toBe("");
      expect(constant.value).not.toBe(0);
    }
    expect(method.defects.length).toBeGreaterThan(0);
  });

  test("names only constants that it has", () => {
    const { terms, factors, intensity } = method.estimate(full, tables);
    const answers = [...terms.map(({ energy }) => energy), intensity];
    const used = [
      ...answers.flatMap((one) => (one.status === "answered" ? one.constants : [])),
      ...factors.flatMap(({ constants }) => constants),
    ];
    for (const constant of used) expect(Object.keys(method.constants)).toContain(constant);
  });

  test("answers nothing with zero: what it cannot answer has a reason", () => {
    const result = method.estimate(workloadOf({ hours: 1 }), tables);
    for (const answer of [result.energy, ...result.terms.map(({ energy }) => energy)]) {
      expect(answer.status).toBe("unsupported");
      expect(answer.status === "unsupported" && answer.reason).toMatch(/\w+/);
    }
  });

  test("says the formula of every term with its numbers", () => {
    for (const { energy } of method.estimate(full, tables).terms) {
      if (energy.status === "answered") expect(energy.formula).toMatch(/\d|RAPL|counters/);
    }
  });
});

describe("properties", () => {
  const share = fc.double({ min: 0.01, max: 1, noNaN: true });

  test("twice the hours are twice the energy, but for methods that do not look at time", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...modelled.filter((name) => !TIMELESS.has(name))),
        fc.double({ min: 0.01, max: 1e4, noNaN: true }),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        (name, hours, factor) => {
          // What is sent is sent once, however long it takes.
          const still = { ...full, transferGB: null };
          const once = energyOf(name, { ...still, hours });
          const more = energyOf(name, { ...still, hours: hours * factor });
          expect(more / once).toBeCloseTo(factor, 9);
        },
      ),
    );
  });

  test("energy never falls when the load rises, or the rated power", () => {
    fc.assert(
      fc.property(fc.constantFrom(...modelled), share, share, (name, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const loads = [low, high].map((usage) => energyOf(name, withCpu({ usage })));
        expect(loads[1]).toBeGreaterThanOrEqual((loads[0] ?? 0) * (1 - 1e-9));
        // A name that no table has: otherwise a method may prefer its own rating.
        const rated = [low, high].map((tdp) =>
          energyOf(name, withCpu({ name: "Intel Xeon 6248", tdp: 300 * tdp })),
        );
        expect(rated[1]).toBeGreaterThanOrEqual((rated[0] ?? 0) * (1 - 1e-9));
      }),
    );
  });

  test("emissions are energy times intensity, for a given intensity the same with every tool", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...modelled.filter((name) => name !== "strubell")),
        fc.double({ min: 2, max: 1500, noNaN: true }),
        (name, intensity) => {
          const place = { zone: "declared", intensity, declared: true, source: "given" };
          const { energy, emissions } = findMethod(name).estimate({ ...full, place }, tables);
          if (energy.status !== "answered" || emissions.status !== "answered") {
            throw new Error(`${name} does not answer`);
          }
          expect(emissions.value).toBeCloseTo((energy.value / 3.6e6) * intensity, 6);
        },
      ),
    );
  });

  test("measured counters are taken over a model by those that read them", () => {
    const counters = { package: joules(1e6), dram: joules(1e5), gpu: joules(2e6) };
    for (const name of ["codecarbon-rapl", "carbontracker", "greenness-toolkit", "strubell"]) {
      const { terms } = findMethod(name).estimate({ ...full, counters }, tables);
      const cpu = terms.find((term) => term.name === "cpu");
      expect(cpu?.energy).toMatchObject({ status: "answered" });
      expect(cpu?.energy.status === "answered" && cpu.energy.value).toBeLessThanOrEqual(1.1e6);
    }
  });
});

describe("names", () => {
  test("each is found, whatever its case, and only once", () => {
    for (const { name } of METHODS) expect(findMethod(name.toUpperCase()).name).toBe(name);
    expect(new Set(METHODS.map(({ name }) => name)).size).toBe(METHODS.length);
  });
  test("a mistyped one gets a suggestion, a foreign one the list", () => {
    expect(() => findMethod("codecarbn")).toThrow(
      expect.objectContaining({ hint: "Did you mean codecarbon?" }),
    );
    expect(() => findMethod("zeus-and-more")).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("green-algorithms") }),
    );
  });
});

describe("workloads that cannot be", () => {
  test.each([
    [{ hours: -1 }, /hours of -1/],
    [{ hours: Number.NaN }, /hours/],
    [{ hours: 1, memoryGB: 0 }, /memory of 0/],
    [{ hours: 1, cpu: { usage: 1.5 } }, /usage of 1.5/],
    [{ hours: 1, cpu: { tdp: -65 } }, /TDP of -65/],
    [{ hours: 1, cpu: { share: 7 } }, /share of 7/],
    [{ hours: 1, gpus: [{ name: "g", tdp: 1, count: 0, usage: 1 }] }, /number of GPUs of 0/],
  ] as const)("%j", (known, fault) => {
    expect(() => workloadOf(known)).toThrow(fault);
  });
});
