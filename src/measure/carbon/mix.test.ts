import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { GRIDS, missingGrids, readGrid } from "../../../test/grid-carbon.ts";
import { loadFactors, mixFigure, mixIntensity } from "./mix.ts";
import { checkPublished } from "./mix-check.ts";

const host = createFakeHost();
const lifeCycle = await loadFactors(host, "carboncast", "life-cycle");
const direct = await loadFactors(host, "carboncast", "direct");
const sets = { lifeCycle, direct };

describe("the intensity of a mix", () => {
  test("is the mean of the factors by generation", () => {
    // CarbonCast, Table 1: (3 x 820 + 1 x 11) / 4.
    expect(mixIntensity({ coal: 3, wind: 1 }, lifeCycle)).toBe((3 * 820 + 11) / 4);
    expect(mixIntensity({ coal: 3, wind: 1 }, direct)).toBe((3 * 760) / 4);
  });
  test("does not depend on the unit, and lies between its sources", () => {
    const generation = fc.double({ min: 0.001, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(generation, generation, generation, (coal, gas, wind) => {
        const value = mixIntensity({ coal, gas, wind }, lifeCycle);
        expect(value).toBeCloseTo(
          mixIntensity({ coal: coal * 1000, gas: gas * 1000, wind: wind * 1000 }, lifeCycle),
          6,
        );
        expect(value).toBeGreaterThanOrEqual(11 - 1e-9);
        expect(value).toBeLessThanOrEqual(820 + 1e-9);
      }),
    );
  });
  test("takes the IPCC's extremes as its interval where they are published", async () => {
    const ipcc = await loadFactors(host, "ipcc-2014", "life-cycle");
    expect(mixFigure({ nuclear: 1 }, ipcc)).toMatchObject({ value: 12, low: 3.7, high: 110 });
    const { low, value, high } = mixFigure({ coal: 1 }, lifeCycle);
    expect([low < 740 / 0.9, value, high > 900]).toEqual([true, 820, true]);
  });
  test.each([
    ["no generation", { coal: 0 }, /without any generation/],
    ["a negative one", { coal: 5, hydro: -1 }, /-1 from hydro/],
    ["an unknown source", { fusion: 1 }, /no emission factor for "fusion"/],
    ["no number", { coal: Number.NaN }, /NaN from coal/],
  ])("refuses %s", (_, mix, message) => {
    expect(() => mixIntensity(mix, lifeCycle)).toThrow(message);
  });
});

describe.skipIf(missingGrids !== null)("nine hourly grids (EnsembleCI and CarbonCast)", () => {
  test.each(GRIDS)("%s follows from its generation to 0.005 g/kWh in every hour", (grid) => {
    const hours = readGrid(grid);
    expect(hours.length).toBeGreaterThan(17_000);
    expect(checkPublished(hours, sets)).toEqual([]);
  });
  test("the fault of the Swedish life-cycle column is named: another factor for unknown", () => {
    const hours = readGrid("SE").map((hour) => ({
      ...hour,
      lifeCycle: hour.lifeCycleUpstream ?? Number.NaN,
    }));
    const [fault, ...more] = checkPublished(hours, sets);
    expect(more).toEqual([]);
    expect(fault).toMatchObject({
      kind: "other-factor",
      column: "life-cycle",
      source: "unknown",
      expected: 700,
    });
    if (fault?.kind !== "other-factor") throw new Error("no factor was found");
    expect(fault.implied).toBeGreaterThan(280);
    expect(fault.implied).toBeLessThan(300);
  });
  test("the fault of the German direct column is named: it repeats the life-cycle one", () => {
    // The published file is not kept; its description says that its direct column holds the
    // life-cycle values, and so does this copy.
    const hours = readGrid("DE").map((hour) => ({ ...hour, direct: hour.lifeCycle }));
    expect(checkPublished(hours, sets)).toEqual([{ kind: "repeats-life-cycle", column: "direct" }]);
  });
  test("a series of another convention does not follow from any one factor", () => {
    const hours = readGrid("PL").map((hour, at) => ({
      ...hour,
      lifeCycle: hour.lifeCycle * (1 + (at % 7) / 10),
    }));
    expect(checkPublished(hours, sets)).toMatchObject([
      { kind: "does-not-follow", column: "life-cycle" },
    ]);
  });
});
