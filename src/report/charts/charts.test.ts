// Charts as text. The golden files were looked at as pictures in light and dark.

import { describe, expect, test } from "vitest";
import type { BarsData } from "./bars.ts";
import { barChart, type PowerData, powerChart } from "./index.ts";

const power: PowerData = {
  durationS: 8,
  lines: [
    {
      label: "gpu 0",
      colour: 0,
      method: "measured",
      timesS: [0, 2, 4, 6, 8],
      watts: [100, 210, null, 190, 120],
    },
    { label: "memory", colour: 1, method: "estimated", timesS: [0, 8], watts: [7, 7] },
  ],
  spans: [
    { label: "load", startS: 0, endS: 2, depth: 0 },
    { label: "train <1>", startS: 2, endS: 8, depth: 0 },
    { label: "step", startS: 2, endS: 3, depth: 1 },
  ],
  gaps: [{ fromS: 3, toS: 5 }],
};

const bars: BarsData = {
  title: "Energy",
  unit: "J",
  bars: [
    {
      label: "gross",
      caption: "120 J (100 to 150)",
      meaning: "everything",
      low: 100,
      high: 150,
      parts: [
        { label: "cpu", colour: 0, value: 90, method: "measured" },
        { label: "memory", colour: 1, value: 30, method: "estimated" },
      ],
    },
  ],
};

const size = { id: "c", width: 480, height: 240 };

const TAG = /<(\/?)([a-zA-Z]+)(?: [a-zA-Z][a-zA-Z0-9:-]*="[^"<]*")*>/g;

/** Elements closed in the order in which they were opened, and no bracket outside of them. */
function isWellFormed(svg: string): boolean {
  const open: string[] = [];
  for (const [, closing, name] of svg.matchAll(TAG)) {
    if (closing === "") open.push(name ?? "");
    else if (open.pop() !== name) return false;
  }
  return open.length === 0 && !/[<>]/.test(svg.replaceAll(TAG, ""));
}

/** One element a line, so that a change shows in a review. */
const pretty = (svg: string): string => `${svg.replaceAll("><", ">\n<")}\n`;

describe("power over time", () => {
  const svg = powerChart(power, size);

  test("is the picture that was looked at", async () => {
    expect(isWellFormed(svg)).toBe(true);
    await expect(pretty(svg)).toMatchFileSnapshot("../../../test/golden/power.svg");
  });

  test("stops the line where a reading is missing", () => {
    const [line = ""] = svg.match(/<path class="line k0" d="M[^"]*M[^"]*"/) ?? [];
    expect(line.match(/M/g)).toHaveLength(2);
  });

  test("draws an estimate with another class than a measurement, and says so in words", () => {
    expect(svg).toContain('class="line k1 estimated"');
    expect(svg).toContain("memory (estimated)");
  });

  test("tells a screen reader what it shows", () => {
    expect(svg).toContain('role="img"');
    expect(svg).toContain('aria-labelledby="c-title c-desc"');
    expect(svg).toContain(
      "Power of gpu 0, memory during 8 s, at most 210 W. 3 spans are shaded. 1 gaps",
    );
  });

  test("escapes names", () => {
    expect(svg).toContain("train &lt;1&gt;");
    expect(svg).not.toContain("<1>");
  });

  test("a run without power and without length is drawn without NaN", () => {
    const empty = powerChart({ durationS: 0, lines: [], spans: [], gaps: [] }, size);
    expect(empty).not.toMatch(/NaN|Infinity/);
  });
});

describe("bars", () => {
  const svg = barChart(bars, { id: "b", width: 480 });

  test("is the picture that was looked at", async () => {
    await expect(pretty(svg)).toMatchFileSnapshot("../../../test/golden/bars.svg");
  });

  test("hatches what is estimated and fills what is measured", () => {
    expect(svg).toContain('<rect class="part fill k0"');
    expect(svg).toContain('class="part estimated" fill="url(#b-hatch-1)"');
    expect(svg).toContain('<pattern id="b-hatch-1"');
  });

  test("parts lie end to end and the interval spans its bounds", () => {
    const rects = [
      ...svg.matchAll(/<rect class="part[^>]* x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g),
    ];
    const [first, second] = rects.map(([, x, width]) => ({ x: Number(x), width: Number(width) }));
    expect((first?.x ?? 0) + (first?.width ?? 0)).toBeCloseTo(second?.x ?? Number.NaN, 1);
    // 90 J of 120 J.
    expect((first?.width ?? 0) / ((first?.width ?? 0) + (second?.width ?? 0))).toBeCloseTo(0.75, 2);
  });
});
