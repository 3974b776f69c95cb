// The charts of the HTML report, each with its data table beside it.

import type { Card, Series, Span } from "../../core/card.ts";
import {
  formatDuration,
  formatFigure,
  formatQuantity,
  type Method,
  significant,
} from "../../core/index.ts";
import { energyParts } from "../breakdown.ts";
import {
  type Band,
  type Bar,
  barChart,
  type ChartOptions,
  type PowerData,
  powerChart,
} from "../charts/index.ts";
import { percent } from "../charts/label.ts";
import { BOUNDARY_MEANING, componentLabel, headlineEnergy } from "../headline.ts";
import { type Child, element, type Markup, text } from "../markup.ts";
import { intervalText } from "./interval.ts";
import { methodMark, paragraph, section, table, valueMark } from "./parts.ts";

const WIDE = 900;
const NARROW = 320;
const TABLE_ROWS = 40;
const SPAN_ROWS = 200;
/** The last colour of the palette: what belongs to no component. */
const GREY = 7;

/** A chart at the widths of a desk and of a phone; the style sheet shows one of them. */
export function picture(
  id: string,
  heights: { readonly wide: number; readonly narrow: number },
  draw: (options: ChartOptions) => Markup,
  ...beside: Child[]
): Markup {
  const sized = (name: "wide" | "narrow", width: number) =>
    draw({ id: `${id}-${name}`, width, height: heights[name] }).replace(
      'class="chart"',
      `class="chart ${name}"`,
    ) as Markup;
  return element("figure", {}, sized("wide", WIDE), sized("narrow", NARROW), ...beside);
}

/** Power over time; nothing for a run too short to have two readings. */
export function powerSection(card: Card): Markup | null {
  if (!card.series.some(({ timesS }) => timesS.length > 1)) return null;
  const data = powerData(card);
  return section(
    "power",
    "Power over time",
    picture(
      "power",
      { wide: 320, narrow: 280 },
      (options) => powerChart(data, options),
      element(
        "details",
        {},
        element("summary", {}, text("Readings as a table")),
        readingsTable(card.series),
      ),
    ),
  );
}

function powerData(card: Card): PowerData {
  return {
    durationS: card.measures.duration.value,
    lines: card.series.map((series) => ({
      label: componentLabel(series),
      colour: colourOf(card, series),
      method: methodOf(card, series),
      timesS: series.timesS,
      watts: series.watts,
    })),
    spans: card.spans.map((span) => bandOf(span, card.spans)),
    gaps: card.gaps,
  };
}

function bandOf(span: Span, spans: readonly Span[]): Band {
  return { label: span.name, startS: span.startS, endS: span.endS, depth: depthOf(span, spans) };
}

/** Nesting depth; a chain of parents that runs in a circle ends after as many steps as spans. */
function depthOf(span: Span, spans: readonly Span[]): number {
  let depth = 0;
  let at: Span | undefined = span;
  while (at?.parent !== undefined && depth < spans.length) {
    at = spans[at.parent];
    depth++;
  }
  return depth;
}

interface Device {
  readonly domain: string;
  readonly device: string;
}

const same = (a: Device) => (b: Device) => a.domain === b.domain && a.device === b.device;

/** A device keeps its colour in every chart: its place among the components. */
function colourOf({ components, series }: Card, device: Device): number {
  const index = components.findIndex(same(device));
  return index >= 0 ? index : components.length + series.findIndex(same(device));
}

/** An unknown component is drawn as an estimate: nothing is shown as measured without saying so. */
const methodOf = ({ components }: Card, device: Device): Method =>
  components.find(same(device))?.energy.method ?? "estimated";

/** Readings of each device, evenly thinned so that the table stays readable. */
function readingsTable(series: readonly Series[]): Markup {
  const rows = series.flatMap((entry) => {
    const step = Math.max(1, Math.ceil(entry.timesS.length / TABLE_ROWS));
    return entry.timesS.flatMap((time, index) => {
      if (index % step !== 0) return [];
      const watts = entry.watts[index];
      const power = typeof watts === "number" ? formatQuantity(watts, "W") : "no reading";
      return [[text(componentLabel(entry)), text(formatDuration(time)), text(power)]];
    });
  });
  const all = series.reduce((sum, { timesS }) => sum + timesS.length, 0);
  const caption =
    rows.length === all ? "Power readings" : `Power readings, ${rows.length} of ${all}`;
  return table(
    caption,
    [{ title: "device" }, { title: "time", kind: "number" }, { title: "power", kind: "number" }],
    rows,
  );
}

/** Where the energy went, by component and by boundary. */
export function energySection(card: Card): Markup | null {
  const bars = energyBars(card);
  if (bars.length === 0) return null;
  const { conservation } = card;
  return section(
    "energy",
    "Where the energy went",
    picture("energy", { wide: 0, narrow: 0 }, (options) =>
      barChart({ title: "Energy by boundary and component", unit: "J", bars }, options),
    ),
    componentTable(card),
    conservation === undefined
      ? null
      : paragraph(
          `Conservation: ${formatQuantity(conservation.measuredJ, "J")} of all energy = ` +
            `${formatQuantity(conservation.attributedJ, "J")} of this subject + ` +
            `${formatQuantity(conservation.unattributedJ, "J")} of the rest, ` +
            `off by ${significant(conservation.relativeError * 100, 2)}\u00a0%.`,
          "soft",
        ),
  );
}

function energyBars(card: Card): readonly Bar[] {
  const { energy } = card.measures;
  const headline = headlineEnergy(card);
  if (energy === undefined || headline === null) return [];
  return (["gross", "attributed", "net"] as const).flatMap((boundary) => {
    const figure = energy[boundary];
    if (figure === undefined) return [];
    return [
      {
        label: boundary === headline.boundary ? `${boundary} (main)` : boundary,
        caption: formatFigure(figure),
        meaning: BOUNDARY_MEANING[boundary],
        low: figure.low,
        high: figure.high,
        parts: partsOf(card, boundary) ?? [
          { label: "not split", colour: GREY, value: figure.value, method: figure.method },
        ],
      },
    ];
  });
}

/** The components of a boundary; null when the card does not tell them apart. */
function partsOf(card: Card, boundary: "gross" | "net" | "attributed"): Bar["parts"] | null {
  if (boundary === "net") return null;
  const parts = energyParts(card, boundary);
  return (
    parts?.map(({ label, component, value, method }) => ({
      label,
      colour: component ?? GREY,
      value,
      method,
    })) ?? null
  );
}

function componentTable(card: Card): Markup | null {
  const parts = energyParts(card, "gross");
  if (parts === null) return null;
  const total = parts.reduce((sum, { value }) => sum + value, 0);
  return table(
    "Components of the gross energy",
    [
      { title: "component" },
      { title: "energy", kind: "number" },
      { title: "share", kind: "number" },
      { title: "attributed", kind: "number" },
      { title: "mean power", kind: "number" },
      { title: "method" },
      { title: "source", kind: "words" },
    ],
    parts.map(({ label, component: index, value, method, source }) => {
      const component = index === null ? undefined : card.components[index];
      return [
        text(label),
        component === undefined ? text(formatQuantity(value, "J")) : valueMark(component.energy),
        text(total > 0 ? percent(value / total) : ""),
        component?.attributed === undefined ? null : valueMark(component.attributed),
        component?.meanPower === undefined ? null : valueMark(component.meanPower),
        methodMark(method),
        text(source),
      ];
    }),
  );
}

/** What each span took; the first ones where there are very many. */
export function spanSection({ spans }: Card): Markup | null {
  if (spans.length === 0) return null;
  const shown = spans.slice(0, SPAN_ROWS);
  const part =
    shown.length === spans.length ? "" : `, the first ${shown.length} of ${spans.length}`;
  return section(
    "spans",
    "Spans",
    table(
      `Named intervals of the run${part}; a span's energy includes that of the spans inside it`,
      [
        { title: "span" },
        { title: "start", kind: "number" },
        { title: "time", kind: "number" },
        { title: "energy", kind: "number" },
        { title: "90 % interval", kind: "number" },
        { title: "mean power", kind: "number" },
        { title: "method" },
        { title: "source", kind: "words" },
      ],
      shown.map((span) => [
        text(`${"\u2014 ".repeat(depthOf(span, spans))}${span.name}`),
        text(formatDuration(span.startS)),
        text(formatDuration(span.endS - span.startS)),
        ...spanEnergy(span),
      ]),
    ),
  );
}

function spanEnergy({ energy, startS, endS }: Span): readonly (Markup | null)[] {
  if (energy === undefined) return [text("unknown"), null, null, null, null];
  const power = endS > startS ? text(formatQuantity(energy.value / (endS - startS), "W")) : null;
  return [
    valueMark(energy),
    text(intervalText(energy) || "exact"),
    power,
    methodMark(energy.method),
    text(energy.source),
  ];
}
