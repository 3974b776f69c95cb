import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { atLoad, loadPowerModel } from "./coefficients.ts";
import {
  idlePower,
  isInFamily,
  type ServerFacts,
  serverCurve,
  serverFormula,
  serverPower,
} from "./server-power.ts";

const model = await loadPowerModel(createFakeHost());

const ordinary: ServerFacts = {
  tdp: 300,
  memoryGB: 200,
  frequencyGHz: 2.4,
  microarchitecture: "zen3",
};

const servers = fc.record({
  tdp: fc.double({ min: 25, max: 2000, noNaN: true }),
  memoryGB: fc.double({ min: 16, max: 1536, noNaN: true }),
  frequencyGHz: fc.option(fc.double({ min: 2, max: 3.7, noNaN: true })),
  microarchitecture: fc.constantFrom("zen3", "zen5", null),
});
const loads = fc.double({ min: 0, max: 1, noNaN: true });

describe("by hand", () => {
  test("at the reference inputs the power is the coefficient itself", () => {
    expect(serverPower(model, ordinary, 0).value).toBeCloseTo(76.43, 6);
    expect(serverPower(model, ordinary, 0.5).value).toBeCloseTo(193.3, 6);
    expect(serverPower(model, ordinary, 1).value).toBeCloseTo(330.3, 6);
    // Half-way between the levels of 50 and 60 %.
    expect(serverPower(model, ordinary, 0.55).value).toBeCloseTo((193.3 + 212.8) / 2, 6);
  });

  test("other inputs enter by their powers", () => {
    const large = { ...ordinary, tdp: 560, memoryGB: 256, frequencyGHz: 2.45 };
    const full = 330.3 * (560 / 300) ** 0.8054 * (256 / 200) ** 0.1908 * (2.45 / 2.4) ** -0.2107;
    expect(serverPower(model, large, 1).value).toBeCloseTo(full, 6);
    expect(full).toBeCloseTo(570, 0);
  });

  test("without a frequency its own coefficients apply", () => {
    const unknown = { ...ordinary, frequencyGHz: null };
    expect(serverPower(model, unknown, 0.1).value).toBeCloseTo(125.3, 6);
  });
});

describe("the 90 % interval", () => {
  test("is that of the family, a tenth higher above", () => {
    const { value, low, high } = serverPower(model, ordinary, 1);
    expect([low / value, high / value]).toEqual([
      expect.closeTo(0.7616, 6),
      expect.closeTo(1.357 * 1.1, 6),
    ]);
  });

  test.each([
    ["a newer microarchitecture", { microarchitecture: "zen5" }],
    ["an unknown one", { microarchitecture: null }],
    ["more TDP than any system fitted on", { tdp: 2400 }],
    ["less memory", { memoryGB: 4 }],
  ])("is wider upwards for %s", (_, change) => {
    const server = { ...ordinary, ...change };
    expect(isInFamily(model, server)).toBe(false);
    const { value, high } = serverPower(model, server, 1);
    expect(high / value).toBeCloseTo(1.461 * 1.1, 6);
  });
});

describe("for any server", () => {
  test("power never falls with load", () => {
    fc.assert(
      fc.property(servers, loads, loads, (server, a, b) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        const rise =
          serverPower(model, server, more).value - serverPower(model, server, less).value;
        expect(rise).toBeGreaterThanOrEqual(-1e-9);
      }),
    );
  });

  test.each(["tdp", "memoryGB"] as const)("power rises with %s", (input) => {
    fc.assert(
      fc.property(servers, loads, (server, load) => {
        const more = { ...server, [input]: server[input] * 1.1 };
        const rise = serverPower(model, more, load).value - serverPower(model, server, load).value;
        expect(rise).toBeGreaterThan(0);
      }),
    );
  });

  test("the interval is around the value, and idle is load 0", () => {
    fc.assert(
      fc.property(servers, loads, (server, load) => {
        const { low, value, high } = serverPower(model, server, load);
        expect(low).toBeLessThan(value);
        expect(high).toBeGreaterThan(value);
        expect(idlePower(model, server).value).toBe(serverCurve(model, server)[0]);
      }),
    );
  });
});

test("the formula is told with its numbers", () => {
  const text = serverFormula(model, ordinary);
  expect(text).toContain("idle 76.43 W x (300 W / 300 W)^0.2895 x (200 GB / 200 GB)^0.4084");
  expect(text).toContain("(2.4 GHz / 2.4 GHz)^-0.2107 = 330 W");
});

test("loads outside 0..1 are taken as the ends", () => {
  expect(atLoad([0, 0.5, 1], [1, 2, 4], -1)).toBe(1);
  expect(atLoad([0, 0.5, 1], [1, 2, 4], 0.75)).toBe(3);
  expect(atLoad([0, 0.5, 1], [1, 2, 4], 7)).toBe(4);
});
