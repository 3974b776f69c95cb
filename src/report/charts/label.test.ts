import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { labelWidth, percent, placeLabels, quantityLabel, timeLabel } from "./label.ts";

describe("labels under an axis", () => {
  const SIZE = 12;

  test("never overlap and never stand out, whatever their number and length", () => {
    const labels = fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 500, noNaN: true }),
        label: fc.string({ minLength: 1, maxLength: 12 }),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(labels, (unsorted) => {
        const sorted = unsorted.toSorted((a, b) => a.at - b.at);
        const edges = placeLabels(sorted, [0, 500], SIZE).map(({ at, label, anchor }) => {
          const width = labelWidth(label, SIZE);
          const left = anchor === "start" ? at : anchor === "end" ? at - width : at - width / 2;
          return { left, right: left + width };
        });
        edges.forEach(({ left, right }, index) => {
          expect(left).toBeGreaterThanOrEqual((edges[index - 1]?.right ?? -1) - 1e-9);
          if (right - left < 250) expect(left >= -1e-9 && right <= 500 + 1e-9).toBe(true);
        });
      }),
    );
  });

  test("the last one turns inwards at the right edge", () => {
    const placed = placeLabels(
      [
        { at: 0, label: "0" },
        { at: 500, label: "2000 s" },
      ],
      [0, 500],
      SIZE,
    );
    expect(placed.at(-1)).toEqual({ at: 500, label: "2000 s", anchor: "end" });
  });

  test("the last one stays and the one before it goes", () => {
    const crowded = [0, 470, 500].map((at) => ({ at, label: `${at} s` }));
    expect(placeLabels(crowded, [0, 500], SIZE).map(({ label }) => label)).toEqual([
      "0 s",
      "500 s",
    ]);
  });
});

describe("what a tick says", () => {
  test.each([
    [0, "0"],
    [0.25, "0.25 s"],
    [30, "30 s"],
    [90, "1 min 30"],
    [300, "5 min"],
    [5400, "1 h 30"],
    [172_800, "2 d"],
  ])("%d seconds: %s", (seconds, label) => {
    expect(timeLabel(seconds)).toBe(label);
  });

  test.each([
    [0, "0"],
    [50, "50 W"],
    [1500, "1.5 kW"],
    [100, "100 W"],
    [0.02, "20 mW"],
  ])("%d watts: %s", (watts, label) => {
    expect(quantityLabel(watts, "W")).toBe(label);
  });

  test.each([
    [0.79, "79 %"],
    [0.024, "2 %"],
    [0.0001, "< 1 %"],
    [0, "0 %"],
    [1, "100 %"],
  ])("a share of %d: %s", (share, label) => {
    expect(percent(share)).toBe(label);
  });
});
