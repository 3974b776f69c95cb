// What every chart has around it: an accessible root, a legend that wraps, hatching, an axis.

import { type Child, element, type Markup, text } from "../markup.ts";
import { labelWidth, type Placed, px } from "./label.ts";

export const FONT_SIZE = 12;

/** Number of colours in the palette; the classes are `k0` to `k7`. */
const COLOURS = 8;

/** Classes of a colour; beyond the palette it comes again, paler and broader. */
export const colourClass = (colour: number): string =>
  colour < COLOURS ? `k${colour}` : `k${colour % COLOURS} again`;

/** Options of a chart. */
export interface ChartOptions {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** Prefix that makes the chart's ids unique in a page. */
  readonly id: string;
}

export interface Described {
  readonly title: string;
  /** One or two sentences that say what the picture shows. */
  readonly description: string;
}

/** The root of a chart. Screen readers hear title and description instead of the shapes. */
export function chartRoot(
  { id, width, height }: ChartOptions,
  { title, description }: Described,
  ...children: Child[]
): Markup {
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: "chart",
      viewBox: `0 0 ${px(width)} ${px(height)}`,
      width: px(width),
      height: px(height),
      role: "img",
      "aria-labelledby": `${id}-title ${id}-desc`,
    },
    element("title", { id: `${id}-title` }, text(title)),
    element("desc", { id: `${id}-desc` }, text(description)),
    ...children,
  );
}

/** Diagonal hatching in a colour of the palette: the mark of an estimate. */
export function hatching(id: string, colour: number): Markup {
  return element(
    "pattern",
    {
      id: hatchingId(id, colour),
      width: 6,
      height: 6,
      patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(45)",
    },
    element("rect", { class: `fill ${colourClass(colour)} faint`, width: 6, height: 6 }),
    element("rect", { class: `fill ${colourClass(colour)}`, width: 2.5, height: 6 }),
  );
}

export const hatchingId = (id: string, colour: number): string => `${id}-hatch-${colour}`;

export interface LegendEntry {
  readonly label: string;
  /** The sample in front of the label, drawn in a box of 20 by 10 pixels. */
  readonly sample: Markup;
}

const SAMPLE_WIDTH = 20;
const ENTRY_GAP = 18;
const LEGEND_LINE = 20;

/** Entries from left to right in as many lines as needed; `height` is what they take. */
export function legend(
  entries: readonly LegendEntry[],
  width: number,
): { readonly markup: Markup; readonly height: number } {
  let x = 0;
  let y = 0;
  const drawn: Markup[] = [];
  for (const { label, sample } of entries) {
    const shown = fitted(label, width - SAMPLE_WIDTH - 6);
    const entryWidth = SAMPLE_WIDTH + 6 + labelWidth(shown, FONT_SIZE);
    if (x > 0 && x + entryWidth > width) {
      x = 0;
      y += LEGEND_LINE;
    }
    drawn.push(
      element(
        "g",
        { transform: `translate(${px(x)} ${px(y)})` },
        sample,
        element("text", { x: SAMPLE_WIDTH + 6, y: 9, class: "label" }, text(shown)),
      ),
    );
    x += entryWidth + ENTRY_GAP;
  }
  const height = entries.length === 0 ? 0 : y + LEGEND_LINE;
  return { markup: element("g", { class: "legend" }, ...drawn), height };
}

/** A label cut to a width, with three points where it was cut. */
export function fitted(label: string, width: number): string {
  if (labelWidth(label, FONT_SIZE) <= width) return label;
  const characters = [...label];
  while (characters.length > 0 && labelWidth(`${characters.join("")}...`, FONT_SIZE) > width) {
    characters.pop();
  }
  return characters.length === 0 ? "" : `${characters.join("").trimEnd()}...`;
}

/** Labels in a row at height `y`. */
export function axisLabels(labels: readonly Placed[], y: number): Markup {
  return element(
    "g",
    { class: "axis" },
    ...labels.map(({ at, label, anchor }) =>
      element("text", { x: px(at), y: px(y), "text-anchor": anchor }, text(label)),
    ),
  );
}
