// Horizontal stacked bars with the 90 % interval of each total. An estimated part is hatched, so that
// it differs from a measured one without colour.

import type { Method } from "../../core/index.ts";
import { element, type Markup, text } from "../markup.ts";
import {
  axisLabels,
  type ChartOptions,
  chartRoot,
  colourClass,
  FONT_SIZE,
  hatching,
  hatchingId,
  type LegendEntry,
  legend,
} from "./frame.ts";
import { labelWidth, placeLabels, px, quantityLabel } from "./label.ts";
import { linearScale, linearTicks, niceExtent, type Scale } from "./scale.ts";

export interface BarPart {
  readonly label: string;
  /** Index into the palette; parts of one label share it. */
  readonly colour: number;
  readonly value: number;
  readonly method: Method;
}

export interface Bar {
  readonly label: string;
  readonly parts: readonly BarPart[];
  /** What the total says in words, such as `12.4 kJ`. */
  readonly caption: string;
  /** What the total includes; shown where there is room for it. */
  readonly meaning?: string;
  readonly low: number;
  readonly high: number;
}

export interface BarsData {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

const BAR = 26;
const ROW = 54;
const AXIS = 26;

/** The chart as SVG text; as high as its bars and its legend need. */
export function barChart(data: BarsData, options: Omit<ChartOptions, "height">): Markup {
  const { id, width } = options;
  const parts = uniqueParts(data.bars);
  const key = legend(
    parts.map((part) => legendEntry(part, id)),
    width,
  );
  const tickCount = Math.max(2, Math.round(width / 130));
  const highest = Math.max(...data.bars.map((bar) => Math.max(bar.high, totalOf(bar))));
  const [low, high] = niceExtent([0, highest], tickCount);
  const x = linearScale([low, high], [1, width - 8]);
  const top = key.height + 6;
  const bottom = top + data.bars.length * ROW;
  const ticks = linearTicks([low, high], tickCount);

  return chartRoot(
    { ...options, height: bottom + AXIS },
    { title: data.title, description: describe(data) },
    element("defs", {}, ...parts.filter(isEstimate).map(({ colour }) => hatching(id, colour))),
    key.markup,
    ...ticks.map((tick) =>
      element(
        "g",
        { class: tick === 0 ? "grid zero" : "grid" },
        // In pieces, one behind each bar, so that no line runs through a label.
        element("path", {
          d: data.bars
            .map((_, row) => `M${px(x(tick))} ${px(top + row * ROW + 18)}v${BAR + 8}`)
            .join(""),
        }),
      ),
    ),
    ...data.bars.map((bar, index) => barMark(bar, { id, x, width, top: top + index * ROW })),
    axisLabels(
      placeLabels(
        ticks.map((tick) => ({ at: x(tick), label: quantityLabel(tick, data.unit) })),
        [0, width],
        FONT_SIZE,
      ),
      bottom + 16,
    ),
  );
}

interface Row {
  readonly id: string;
  readonly x: Scale;
  readonly width: number;
  readonly top: number;
}

function barMark(bar: Bar, { id, x, width, top }: Row): Markup {
  let at = 0;
  const y = top + 20;
  const segments = bar.parts.map((part) => {
    const from = x(at);
    at += part.value;
    return element(
      "rect",
      { ...fillOf(part, id), x: px(from), y: px(y), width: px(x(at) - from), height: BAR },
      element("title", {}, text(part.label)),
    );
  });
  const middle = y + BAR / 2;
  const [from, to] = [x(bar.low), x(bar.high)];
  const room = width - 8 - labelWidth(bar.label, FONT_SIZE) - FONT_SIZE;
  const full = bar.meaning === undefined ? bar.caption : `${bar.caption}, ${bar.meaning}`;
  const caption = [full, bar.caption].find((words) => labelWidth(words, FONT_SIZE) <= room);
  return element(
    "g",
    { class: "bar" },
    element("text", { class: "label strong", x: 1, y: px(top + 13) }, text(bar.label)),
    caption === undefined
      ? null
      : element(
          "text",
          { class: "label", x: px(width - 8), y: px(top + 13), "text-anchor": "end" },
          text(caption),
        ),
    ...segments,
    to - from < 1
      ? null
      : element("path", {
          class: "interval",
          d: `M${px(from)} ${px(middle - 5)}v10M${px(from)} ${px(middle)}H${px(to)}M${px(to)} ${px(middle - 5)}v10`,
        }),
  );
}

const isEstimate = ({ method }: BarPart): boolean => method === "estimated";

function fillOf(part: BarPart, id: string): { class: string; fill: string | null } {
  return isEstimate(part)
    ? { class: "part estimated", fill: `url(#${hatchingId(id, part.colour)})` }
    : { class: `part fill ${colourClass(part.colour)}`, fill: null };
}

function legendEntry(part: BarPart, id: string): LegendEntry {
  return {
    label: isEstimate(part) ? `${part.label} (estimated)` : part.label,
    sample: element("rect", { ...fillOf(part, id), width: 20, height: 10 }),
  };
}

function uniqueParts(bars: readonly Bar[]): readonly BarPart[] {
  const seen = new Map<string, BarPart>();
  for (const { parts } of bars) {
    for (const part of parts) seen.set(`${part.label}|${isEstimate(part)}`, part);
  }
  return [...seen.values()];
}

function totalOf({ parts }: Bar): number {
  return parts.reduce((sum, { value }) => sum + value, 0);
}

function describe({ bars }: BarsData): string {
  return bars
    .map(({ label, caption, meaning }) =>
      meaning === undefined ? `${label}: ${caption}.` : `${label}: ${caption}, ${meaning}.`,
    )
    .join(" ");
}
