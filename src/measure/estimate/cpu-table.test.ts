import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildTable } from "../../../scripts/build-cpu-table.ts";
import { createFakeHost } from "../../../test/fake-host.ts";
import { findTdp, loadCpuTable, normaliseCpuName } from "./cpu-table.ts";

const table = await loadCpuTable(createFakeHost());

describe("names as kernels write them", () => {
  // Watts: Intel ARK and AMD's product pages.
  test.each([
    ["Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz", 85],
    ["Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz", 205],
    ["INTEL(R) XEON(R) PLATINUM 8480+", 350],
    ["12th Gen Intel(R) Core(TM) i7-12700H", 45],
    ["Intel(R) Core(TM) i9-13900K", 125],
    ["Intel(R) Core(TM)2 Duo CPU     E8400  @ 3.00GHz", 65],
    ["AMD EPYC 7763 64-Core Processor", 280],
    ["AMD EPYC 7R13 Processor", 225],
    ["AMD Ryzen Threadripper 1950X 16-Core Processor", 180],
    ["AMD Ryzen 7 5800U with Radeon Graphics", 15],
    ["AMD Ryzen 5 3400G with Radeon Vega Graphics", 65],
    ["AMD FX(tm)-6100 Six-Core Processor", 95],
    ["AMD Opteron(tm) Processor 6274", 115],
    ["Intel(R) N100", 6],
  ])("%s is of %i W", (name, tdp) => {
    expect(findTdp(table, name)).toBe(tdp);
  });
});

describe("what is not known exactly has no power", () => {
  test.each([
    ["a hypervisor's short name", "AMD EPYC"],
    ["a cloud's name without a model", "Intel(R) Xeon(R) CPU @ 2.20GHz"],
    ["a neighbour of a listed model", "Intel(R) Xeon(R) CPU E5-2621 v3 @ 2.40GHz"],
    ["the listed model of another generation", "Intel(R) Xeon(R) CPU E5-2620 v9 @ 2.40GHz"],
    ["a name that stood for several powers", "Intel(R) Pentium(R) 4 CPU 2.80GHz"],
    ["nothing", ""],
  ])("%s", (_, name) => {
    expect(findTdp(table, name)).toBeNull();
  });

  test("a bare model number of the list cannot be met by chance", () => {
    expect(buildTable("Name,TDP\n6274,115\nIntel Xeon 6274,200\n").tdpOf).toEqual(
      new Map([["xeon 6274", 200]]),
    );
  });

  test("a name listed with two powers is left out, one listed twice with the same is kept", () => {
    const built = buildTable("Name,TDP\nCore i5-1,10\nIntel Core i5 1,12\nXeon 7,9\nXEON-7,9.0\n");
    expect(built.ambiguous).toEqual(["core i5 1"]);
    expect([...built.tdpOf]).toEqual([["xeon 7", 9]]);
  });
});

test("a normalised name is its own normal form", () => {
  for (const name of table.keys()) expect(normaliseCpuName(name)).toBe(name);
});

test("marks, clock and case do not change what a name stands for", () => {
  const names = [...table.keys()].filter((name) => name.startsWith("xeon"));
  const dressed = fc.record({
    name: fc.constantFrom(...names),
    vendor: fc.constantFrom("", "Intel(R) ", "Genuine Intel(R) "),
    clock: fc.constantFrom("", " @ 2.40GHz", " CPU @ 3.00GHz"),
    shout: fc.boolean(),
  });
  fc.assert(
    fc.property(dressed, ({ name, vendor, clock, shout }) => {
      const marked = `${vendor}${name.replace("xeon", "Xeon(R)")}${clock}`;
      expect(findTdp(table, shout ? marked.toUpperCase() : marked)).toBe(table.get(name));
    }),
  );
});

test("every power of the table is a plausible one", () => {
  for (const tdp of table.values()) expect(tdp).toSatisfy((w: number) => w >= 0.5 && w <= 1000);
  expect(table.size).toBeGreaterThan(4000);
});
