// When a job is to run: the forecast as steps, the time it may run in, the chosen stretches hatched (a
// forecast is an estimate), what it would have done by itself in outline, latest start and deadline.

import {
  clockText,
  type TimeZone,
  type WallTime,
  wallTimeText,
  weekdayOf,
} from "../../core/time-zone.ts";
import { element, type Markup, text } from "../markup.ts";
import {
  axisLabels,
  type ChartOptions,
  chartRoot,
  FONT_SIZE,
  hatching,
  hatchingId,
  legend,
} from "./frame.ts";
import { labelWidth, placeLabels, px, quantityLabel } from "./label.ts";
import { linearScale, linearTicks, niceExtent, type Scale } from "./scale.ts";

/** A stretch of time, Unix seconds. */
interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Times are Unix seconds. */
export interface PlanData {
  readonly zone: TimeZone;
  /** Constant stretches of the forecast, gCO2e/kWh, in order of time. */
  readonly steps: readonly (Stretch & { readonly value: number })[];
  readonly runs: readonly Stretch[];
  /** The one run it would have had by itself. */
  readonly usual: Stretch;
  readonly now: number;
  readonly latestStart: number;
  readonly deadline: number;
}

const RIGHT = 10;
const BOTTOM = 24;
const CHOSEN = 1;

/** The chart as SVG text. */
export function planChart(data: PlanData, options: ChartOptions): Markup {
  const { id, width, height } = options;
  const key = legend(legendEntries(id), width);
  const peak = data.steps.reduce((most, { value }) => Math.max(most, value), 0);
  const ticks = Math.max(2, Math.round(height / 64));
  const [low, high] = niceExtent([0, peak], ticks);
  const values = linearTicks([low, high], ticks);
  const left = 10 + Math.max(...values.map((value) => labelWidth(gramLabel(value), FONT_SIZE)));
  const plot = { left, right: width - RIGHT, top: key.height + 10, bottom: height - BOTTOM };
  const span = [data.now, Math.max(data.deadline, lastEnd(data))] as const;
  const x = linearScale(span, [plot.left, plot.right]);
  const y = linearScale([low, high], [plot.bottom, plot.top]);
  const frame: Frame = { x, y, plot };
  const most = Math.max(2, Math.round((plot.right - plot.left) / 80));

  return chartRoot(
    options,
    { title: "When it runs", description: describe(data) },
    element("defs", {}, hatching(id, CHOSEN)),
    key.markup,
    ...values.map((value) => gridLine(value, frame)),
    ...data.runs.map((run) => runMark(run, data, frame, id)),
    usualMark(data, frame),
    element("path", { class: "line k0", d: stairs(data.steps, frame) }),
    moment(data.latestStart, "latest start", frame, "mark dashed"),
    moment(data.deadline, "deadline", frame, "mark"),
    axisLabels(
      placeLabels(
        [{ at: data.now, label: "now" }, ...wallTicks(span, data.zone, most)].map(
          ({ at, label }) => ({ at: x(at), label }),
        ),
        [plot.left, plot.right],
        FONT_SIZE,
      ),
      height - 6,
    ),
  );
}

interface Frame {
  readonly x: Scale;
  readonly y: Scale;
  readonly plot: Readonly<Record<"left" | "right" | "top" | "bottom", number>>;
}

const lastEnd = ({ runs }: PlanData): number => runs.at(-1)?.end ?? 0;

const gramLabel = (value: number): string => quantityLabel(value, "g");

function legendEntries(id: string) {
  const box = { x: 0, y: 0, width: 20, height: 10 };
  return [
    { label: "forecast, gCO2e/kWh", sample: element("path", { class: "line k0", d: "M0 5H20" }) },
    {
      label: "it runs",
      sample: element("rect", { ...box, fill: `url(#${hatchingId(id, CHOSEN)})` }),
    },
    { label: "started at once", sample: element("rect", { ...box, class: "usual" }) },
    { label: "latest start", sample: sampleLine("mark dashed") },
    { label: "deadline", sample: sampleLine("mark") },
  ];
}

const sampleLine = (className: string): Markup =>
  element("g", { class: className }, element("line", { x1: 0, x2: 20, y1: 5, y2: 5 }));

function gridLine(value: number, { y, plot }: Frame): Markup {
  return element(
    "g",
    { class: value === 0 ? "grid zero" : "grid" },
    element("line", { x1: px(plot.left), x2: px(plot.right), y1: px(y(value)), y2: px(y(value)) }),
    element(
      "text",
      { x: px(plot.left - 6), y: px(y(value) + 4), "text-anchor": "end" },
      text(gramLabel(value)),
    ),
  );
}

/** The stairs of the forecast, from step to step. */
function stairs(steps: PlanData["steps"], { x, y }: Frame): string {
  return steps
    .map(({ start, end, value }, at) => {
      const height = px(y(value));
      return `${at === 0 ? `M${px(x(start))} ${height}` : `V${height}`}H${px(x(end))}`;
    })
    .join("");
}

/** The parts of steps inside a stretch. */
function within(steps: PlanData["steps"], { start, end }: Stretch): PlanData["steps"] {
  return steps
    .filter((step) => step.end > start && step.start < end)
    .map((step) => ({
      ...step,
      start: Math.max(step.start, start),
      end: Math.min(step.end, end),
    }));
}

/** A chosen stretch: the hatched area below the forecast. */
function runMark(run: Stretch, { steps, zone }: PlanData, frame: Frame, id: string): Markup {
  const { x, plot } = frame;
  const top = stairs(within(steps, run), frame);
  return element(
    "path",
    {
      fill: `url(#${hatchingId(id, CHOSEN)})`,
      d: `${top}V${px(plot.bottom)}H${px(x(run.start))}Z`,
    },
    element("title", {}, text(`it runs ${spanText(run, zone)}`)),
  );
}

function usualMark({ usual, steps }: PlanData, frame: Frame): Markup {
  const { x, plot } = frame;
  const top = stairs(within(steps, usual), frame);
  return element("path", {
    class: "usual",
    d: `${top}V${px(plot.bottom)}H${px(x(usual.start))}Z`,
  });
}

function moment(at: number, name: string, { x, plot }: Frame, className: string): Markup | null {
  const place = x(at);
  if (place < plot.left || place > plot.right + 0.01) return null;
  return element(
    "g",
    { class: className },
    element("title", {}, text(name)),
    element("line", { x1: px(place), x2: px(place), y1: px(plot.top), y2: px(plot.bottom) }),
  );
}

const spanText = ({ start, end }: Stretch, zone: TimeZone): string =>
  `${wallTimeText(zone.wallTimeAt(start))} to ${wallTimeText(zone.wallTimeAt(end))}`;

function describe({ steps, runs, zone, latestStart, deadline }: PlanData): string {
  const values = steps.map(({ value }) => value);
  const at = (time: number): string => wallTimeText(zone.wallTimeAt(time));
  const span = `${Math.round(Math.min(...values))} and ${Math.round(Math.max(...values))}`;
  return (
    `Carbon intensity is forecast between ${span} gCO2e/kWh. ` +
    `The job runs ${runs.map((run) => spanText(run, zone)).join("; ")}. ` +
    `Its latest start is ${at(latestStart)}, its deadline ${at(deadline)}, ${zone.name}.`
  );
}

const QUARTER = 900;
const DAY_MINUTES = 1440;
/** Minutes between ticks, as clocks and calendars are read. */
const TICK_MINUTES = [15, 30, 60, 120, 180, 360, 720, 1440, 2 * 1440, 7 * 1440, 28 * 1440];

/** Ticks at round times of the wall clock, at most about `most`; midnight is told by its day. */
export function wallTicks(
  [from, to]: readonly [number, number],
  zone: TimeZone,
  most: number,
): readonly { readonly at: number; readonly label: string }[] {
  const minutes = (to - from) / 60;
  const step = TICK_MINUTES.find((one) => minutes / one <= most) ?? 28 * DAY_MINUTES;
  const ticks: { at: number; label: string }[] = [];
  let midnights = 0;
  // Every zone's clock is a multiple of 15 minutes from UTC.
  for (let at = Math.ceil(from / QUARTER) * QUARTER; at <= to; at += QUARTER) {
    const time = zone.wallTimeAt(at);
    const ofDay = time.hour * 60 + time.minute;
    if (ofDay % Math.min(step, DAY_MINUTES) !== 0) continue;
    const isSkipped = step > DAY_MINUTES && midnights++ % (step / DAY_MINUTES) !== 0;
    if (!isSkipped) ticks.push({ at, label: ofDay === 0 ? dayLabel(time) : clockText(time) });
  }
  return ticks;
}

const dayLabel = (time: WallTime): string => `${weekdayOf(time)} ${time.day}`;
