import { describe, expect, test } from "vitest";
import { exact, figure } from "./figure.ts";
import { formatDuration, formatFigure, formatQuantity, significant, withPrefix } from "./format.ts";

test.each([
  [0, "0"],
  [1234, "1230"],
  [123.4, "123"],
  [12.34, "12.3"],
  [9.999, "10.0"],
  [0.012345, "0.0123"],
  [-12.34, "-12.3"],
])("%s has three significant figures: %s", (value, text) => {
  expect(significant(value)).toBe(text);
});

test.each([
  [12_400, "12.4 kJ"],
  [999.9, "1.00 kJ"],
  [1000, "1.00 kJ"],
  [0.0123, "12.3 mJ"],
  [3.6e9, "3.60 GJ"],
  [0, "0 J"],
  [-1500, "-1.50 kJ"],
  [5e-13, "0.000500 nJ"],
])("%s J reads %s", (value, text) => {
  expect(withPrefix(value, "J")).toBe(text);
});

test.each([
  [0.35, "350 ms"],
  [41.2, "41.2 s"],
  [725, "12 min 5 s"],
  [3600, "1 h"],
  [12_000, "3 h 20 min"],
  [187_200, "2 d 4 h"],
])("%s s reads %s", (value, text) => {
  expect(formatDuration(value)).toBe(text);
});

describe("a figure", () => {
  const origin = { method: "measured", source: "test" } as const;
  test("shows its interval in the prefix of its value", () => {
    const of = figure("J", 12_400, { low: 950, high: 12_900 }, origin);
    expect(formatFigure(of)).toBe("12.4 kJ (0.950 to 12.9)");
  });
  test("without uncertainty shows none", () => {
    expect(formatFigure(exact("J", 5, origin))).toBe("5.00 J");
  });
  test("of long duration keeps people's units in its bounds", () => {
    const of = figure("s", 7200, { low: 3600, high: 10_800 }, origin);
    expect(formatFigure(of)).toBe("2 h (1 h to 3 h)");
  });
  test("of emissions goes from mg to tonnes", () => {
    expect(formatQuantity(0.012, "gCO2e")).toBe("12.0 mgCO2e");
    expect(formatQuantity(24_690_000, "gCO2e")).toBe("24.7 tCO2e");
  });
});
