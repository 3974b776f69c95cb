// Power over time: one line a device, spans shaded and named above, gaps hatched. A line stops where
// a reading is missing; an estimate is dashed.

import { type Method, withPrefix } from "../../core/index.ts";
import { element, type Markup, text } from "../markup.ts";
import {
  axisLabels,
  type ChartOptions,
  chartRoot,
  colourClass,
  FONT_SIZE,
  fitted,
  type LegendEntry,
  legend,
} from "./frame.ts";
import { labelWidth, placeLabels, px, quantityLabel, timeLabel } from "./label.ts";
import { linearScale, linearTicks, niceExtent, type Scale, timeTicks } from "./scale.ts";

export interface PowerLine {
  readonly label: string;
  /** Index into the palette. */
  readonly colour: number;
  readonly method: Method;
  /** Ascending seconds since the start. */
  readonly timesS: readonly number[];
  /** Aligned with `timesS`; null inside a gap. */
  readonly watts: readonly (number | null)[];
}

export interface Band {
  readonly label: string;
  readonly startS: number;
  readonly endS: number;
  /** Nesting depth; 0 is outermost. */
  readonly depth: number;
}

export interface PowerData {
  readonly durationS: number;
  readonly lines: readonly PowerLine[];
  readonly spans: readonly Band[];
  readonly gaps: readonly { readonly fromS: number; readonly toS: number }[];
}

const LANE = 18;
const MAX_LANES = 3;
/** More than these would be lines, not areas. */
const MAX_SPANS = 300;
const RIGHT = 8;
const BOTTOM = 24;

/** The chart as SVG text. */
export function powerChart(data: PowerData, options: ChartOptions): Markup {
  const { id, width, height } = options;
  const key = legend(data.lines.map(legendEntry), width);
  const spans = drawnSpans(data.spans);
  const lanes = spans.reduce((most, { depth }) => Math.max(most, depth + 1), 0);
  const peak = peakOf(data.lines);
  const ticks = Math.max(2, Math.round(height / 64));
  const [low, high] = niceExtent([0, peak], ticks);
  const values = linearTicks([low, high], ticks);
  const left = 10 + Math.max(...values.map((value) => labelWidth(wattLabel(value), FONT_SIZE)));
  const plot = {
    left,
    right: width - RIGHT,
    top: key.height + lanes * LANE + 10,
    bottom: height - BOTTOM,
  };
  const x = linearScale([0, data.durationS], [plot.left, plot.right]);
  const y = linearScale([low, high], [plot.bottom, plot.top]);

  return chartRoot(
    options,
    { title: "Power over time", description: describe(data, peak) },
    element("defs", {}, gapPattern(id)),
    key.markup,
    ...spans.map((span) => spanMark(span, { x, plot, top: key.height })),
    ...values.map((value) => gridLine(value, y(value), plot)),
    ...data.gaps.map(({ fromS, toS }) =>
      element(
        "rect",
        {
          x: px(x(fromS)),
          y: px(plot.top),
          width: px(Math.max(1, x(toS) - x(fromS))),
          height: px(plot.bottom - plot.top),
          fill: `url(#${id}-gap)`,
        },
        element("title", {}, text(`no reading, ${timeLabel(fromS)} to ${timeLabel(toS)}`)),
      ),
    ),
    ...data.lines.map((line) => linePath(line, x, y)),
    axisLabels(
      placeLabels(
        timeTicks([0, data.durationS], Math.max(2, Math.round((plot.right - plot.left) / 90))).map(
          (seconds) => ({ at: x(seconds), label: timeLabel(seconds) }),
        ),
        [plot.left, plot.right],
        FONT_SIZE,
      ),
      height - 6,
    ),
  );
}

interface Plot {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function gridLine(value: number, y: number, plot: Plot): Markup {
  return element(
    "g",
    { class: value === 0 ? "grid zero" : "grid" },
    element("line", { x1: px(plot.left), x2: px(plot.right), y1: px(y), y2: px(y) }),
    element(
      "text",
      { x: px(plot.left - 6), y: px(y + 4), "text-anchor": "end" },
      text(wattLabel(value)),
    ),
  );
}

const wattLabel = (value: number): string => quantityLabel(value, "W");

interface DrawnSpan extends Band {
  /** Neighbours in a lane are shaded in turn. */
  readonly shade: "even" | "odd";
}

/** The spans that are drawn: the outer lanes, and the longest where there are very many. */
function drawnSpans(spans: readonly Band[]): readonly DrawnSpan[] {
  const outer = spans.filter(({ depth }) => depth < MAX_LANES);
  const kept =
    outer.length <= MAX_SPANS
      ? outer
      : outer
          .toSorted((a, b) => b.endS - b.startS - (a.endS - a.startS))
          .slice(0, MAX_SPANS)
          .toSorted((a, b) => a.startS - b.startS);
  const inLane = new Map<number, number>();
  return kept.map((span) => {
    const order = inLane.get(span.depth) ?? 0;
    inLane.set(span.depth, order + 1);
    return { ...span, shade: order % 2 === 0 ? "even" : "odd" };
  });
}

/** A span: a light column over the plot, and its name in the lane of its depth. */
function spanMark(
  { label, startS, endS, depth, shade }: DrawnSpan,
  { x, plot, top }: { readonly x: Scale; readonly plot: Plot; readonly top: number },
): Markup {
  const from = x(startS);
  const wide = Math.max(1, x(endS) - from);
  const lane = top + depth * LANE + 4;
  const name = fitted(label, wide - 8);
  return element(
    "g",
    { class: `span ${shade}` },
    element("title", {}, text(`${label}: ${timeLabel(startS)} to ${timeLabel(endS)}`)),
    depth === 0
      ? element("rect", {
          class: "column",
          x: px(from),
          y: px(lane + LANE - 4),
          width: px(wide),
          height: px(plot.bottom - lane - LANE + 4),
        })
      : null,
    element("rect", {
      class: "lane",
      x: px(from),
      y: px(lane),
      width: px(wide),
      height: LANE - 3,
      rx: 2,
    }),
    name === "" ? null : element("text", { x: px(from + 4), y: px(lane + 11.5) }, text(name)),
  );
}

/** A path with a break at every missing reading; a lone reading is a dot. */
function linePath({ label, colour, method, timesS, watts }: PowerLine, x: Scale, y: Scale): Markup {
  const runs: string[] = [];
  let run: string[] = [];
  const close = () => {
    const [first] = run;
    if (first !== undefined) runs.push(run.length === 1 ? `M${first}h0.01` : `M${run.join("L")}`);
    run = [];
  };
  timesS.forEach((time, index) => {
    const value = watts[index];
    if (value === null || value === undefined) close();
    else run.push(`${px(x(time))} ${px(y(value))}`);
  });
  close();
  return element(
    "path",
    { class: lineClass(colour, method), d: runs.join("") },
    element("title", {}, text(label)),
  );
}

const lineClass = (colour: number, method: Method): string =>
  `line ${colourClass(colour)}${method === "estimated" ? " estimated" : ""}`;

function legendEntry({ label, colour, method }: PowerLine): LegendEntry {
  return {
    label: method === "estimated" ? `${label} (estimated)` : label,
    sample: element("path", { class: lineClass(colour, method), d: "M0 5H20" }),
  };
}

/** Hatching in grey: nothing was read here. */
function gapPattern(id: string): Markup {
  return element(
    "pattern",
    {
      id: `${id}-gap`,
      width: 7,
      height: 7,
      patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(-45)",
    },
    element("rect", { class: "gap", width: 1.5, height: 7 }),
  );
}

function peakOf(lines: readonly PowerLine[]): number {
  let peak = 0;
  for (const { watts } of lines) for (const value of watts) peak = Math.max(peak, value ?? 0);
  return peak;
}

function describe({ durationS, lines, spans, gaps }: PowerData, peak: number): string {
  const devices = lines.map(({ label }) => label).join(", ");
  const parts = [
    `Power of ${devices} during ${timeLabel(Number(durationS.toPrecision(3)))}, at most ${withPrefix(peak, "W")}.`,
  ];
  if (spans.length > 0) parts.push(`${spans.length} spans are shaded.`);
  if (gaps.length > 0) parts.push(`${gaps.length} gaps without reading are hatched.`);
  return parts.join(" ");
}
