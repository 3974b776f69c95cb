// Package, memory and wall: the models of machines that are no servers.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryPower } from "./memory-power.ts";
import { packageFigure, packagePower, packageWatts } from "./package-power.ts";
import { wallModelOf } from "./wall.ts";

const loads = fc.double({ min: 0, max: 1, noNaN: true });

describe("the package of a known TDP", () => {
  test("by hand: 100 W at 0, 50 and 100 %", () => {
    expect(packageWatts(100, 0)).toBeCloseTo(14, 9);
    // 0.5^0.7 = 0.615572.
    expect(packageWatts(100, 0.5)).toBeCloseTo(14 + 55 * 0.615572, 4);
    expect(packageWatts(100, 1)).toBeCloseTo(69, 9);
  });

  test("is within x0.5 and x2.2", () => {
    const { value, low, high } = packageFigure({ tdp: 65, cores: 6 }, 0.3);
    expect([low / value, high / value]).toEqual([expect.closeTo(0.5, 9), expect.closeTo(2.2, 9)]);
  });

  test("rises with load and TDP, and is concave", () => {
    fc.assert(
      fc.property(loads, loads, fc.double({ min: 1, max: 500, noNaN: true }), (a, b, tdp) => {
        const middle = packageWatts(tdp, (a + b) / 2);
        const chord = (packageWatts(tdp, a) + packageWatts(tdp, b)) / 2;
        expect(middle).toBeGreaterThanOrEqual(chord - 1e-9);
        expect(packageWatts(tdp * 2, a)).toBeGreaterThan(packageWatts(tdp, a));
        expect(packageWatts(tdp, Math.max(a, b))).toBeGreaterThanOrEqual(
          packageWatts(tdp, Math.min(a, b)),
        );
      }),
    );
  });
});

test("an unknown CPU is never silent: 8 W a core, said so, with a wider interval", () => {
  const unknown = packagePower({ tdp: null, cores: 6 });
  expect(unknown.tdp).toBe(48);
  expect(unknown.formula).toContain("TDP unknown, 8 W for each of 6 cores assumed");
  expect(unknown.factors.low).toBeLessThan(0.5);
  expect(unknown.factors.high).toBeGreaterThan(2.2);
  expect(packageFigure({ tdp: null, cores: 6 }, 1).source).toContain("assumed");
});

test("memory: 64 GB are 14.1 W, between 3.2 and 28.8", () => {
  const { value, low, high } = memoryPower(64);
  expect([value, low, high].map((w) => Number(w.toFixed(1)))).toEqual([14.1, 3.2, 28.8]);
});

describe("the wall", () => {
  // 318 runs of one desktop: P_wall = P_components / 0.85 + 40 W (data of arXiv 2509.22092).
  test("a desktop whose components draw 300 W takes 393 W", () => {
    const wall = wallModelOf("desktop");
    if (wall === null) throw new Error("a desktop has a supply of its own");
    expect(300 * wall.factor.value + wall.base.value).toBeCloseTo(392.9, 1);
    expect(wall.base.low).toBeGreaterThanOrEqual(0);
    expect(wall.factor.high / wall.factor.value).toBeCloseTo(Math.exp(1.6449 * 0.1), 3);
  });

  test("a laptop adds less than a desktop, a server in proportion, both said not to be validated", () => {
    expect(wallModelOf("laptop")?.base.value).toBe(5);
    expect(wallModelOf("server")?.factor.value).toBeCloseTo(1 / 0.92 + 0.15, 9);
    expect(wallModelOf("server")?.base.value).toBe(0);
    for (const machine of ["laptop", "server"] as const) {
      expect(wallModelOf(machine)?.factor.source).toContain("not validated");
    }
  });

  test("a guest has no supply of its own", () => {
    expect(wallModelOf("guest")).toBeNull();
  });
});
