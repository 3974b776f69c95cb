// A roofline: what arithmetic intensity allows, and the points that work reached under it. Both axes are
// logarithmic (Williams, Waterman and Patterson, CACM 52(4), 2009).

import { element, type Markup, text } from "../markup.ts";
import { axisLabels, type ChartOptions, chartRoot, colourClass, FONT_SIZE } from "./frame.ts";
import { placeLabels, px, quantityLabel } from "./label.ts";
import { type Extent, logScale, logTicks } from "./scale.ts";

export interface RooflinePoint {
  readonly label: string;
  /** FLOP a byte. */
  readonly intensity: number;
  /** FLOP/s. */
  readonly rate: number;
  /** Share of the whole time, 0 to 1: the area of the mark. */
  readonly share: number;
}

export interface RooflineData {
  readonly title: string;
  /** FLOP/s. */
  readonly peak: number;
  /** Bytes a second. */
  readonly bandwidth: number;
  readonly points: readonly RooflinePoint[];
}

const LEFT = 92;
const BOTTOM = 40;
const TOP = 22;
const RIGHT = 12;
const SMALLEST = 2.5;
const LARGEST = 14;
const SPOKEN = 5;

/** The chart as SVG text. */
export function rooflineChart(data: RooflineData, options: ChartOptions): Markup {
  const { width, height } = options;
  const points = data.points.filter(({ intensity, rate }) => intensity > 0 && rate > 0);
  const ridge = data.peak / data.bandwidth;
  const across = extent([ridge / 10, ridge * 10, ...points.map(({ intensity }) => intensity)]);
  const up = extent([data.peak / 100, data.peak, ...points.map(({ rate }) => rate)]);
  const x = logScale(across, [LEFT, width - RIGHT]);
  const y = logScale(up, [height - BOTTOM, TOP]);
  const roof = (intensity: number): number => Math.min(data.peak, intensity * data.bandwidth);
  // The slope enters where it crosses the lower edge, when that is to the right of the left one.
  const start = Math.max(across[0], up[0] / data.bandwidth);
  const line = [start, ridge, across[1]].map((at) => `${px(x(at))} ${px(y(roof(at)))}`).join("L");
  const xTicks = logTicks(across);
  const yTicks = logTicks(up);
  return chartRoot(
    options,
    { title: data.title, description: describe(data, points) },
    ...xTicks.map((tick) => grid(`M${px(x(tick))} ${TOP}V${px(height - BOTTOM)}`)),
    ...yTicks.map((tick) => grid(`M${LEFT} ${px(y(tick))}H${px(width - RIGHT)}`)),
    element("path", { class: `line ${colourClass(0)}`, d: `M${line}` }),
    ...points.map((point) => mark(point, x(point.intensity), y(point.rate))),
    axisLabels(
      placeLabels(
        xTicks.map((tick) => ({ at: x(tick), label: String(Number(tick.toPrecision(3))) })),
        [LEFT, width],
        FONT_SIZE,
      ),
      height - BOTTOM + 16,
    ),
    element(
      "g",
      { class: "axis" },
      ...yTicks.map((tick) =>
        element(
          "text",
          { x: LEFT - 6, y: px(y(tick) + 4), "text-anchor": "end" },
          text(quantityLabel(tick, "FLOP/s")),
        ),
      ),
      element(
        "text",
        { x: width - RIGHT, y: height - 6, "text-anchor": "end" },
        text("FLOP a byte moved"),
      ),
    ),
  );
}

const grid = (d: string): Markup => element("g", { class: "grid" }, element("path", { d }));

function mark({ label, intensity, rate, share }: RooflinePoint, cx: number, cy: number): Markup {
  const r = Math.max(SMALLEST, LARGEST * Math.sqrt(share));
  return element(
    "circle",
    { class: `part fill ${colourClass(2)}`, cx: px(cx), cy: px(cy), r: px(r), "fill-opacity": 0.7 },
    element(
      "title",
      {},
      text(`${label}: ${quantityLabel(rate, "FLOP/s")} at ${intensity.toPrecision(3)} FLOP/B`),
    ),
  );
}

/** From power of ten to power of ten. */
function extent(values: readonly number[]): Extent {
  const low = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...values)));
  return [low, high > low ? high : low * 10];
}

function describe({ peak, bandwidth }: RooflineData, points: readonly RooflinePoint[]): string {
  const roof = `The roof is ${quantityLabel(peak, "FLOP/s")} and ${quantityLabel(bandwidth, "B/s")}.`;
  const largest = points.toSorted((a, b) => b.share - a.share).slice(0, SPOKEN);
  const spoken = largest.map(
    ({ label, rate, intensity }) =>
      `${label}: ${quantityLabel(rate, "FLOP/s")} at ${intensity.toPrecision(3)} FLOP a byte.`,
  );
  return [roof, ...spoken].join(" ");
}
