// An icicle: the whole on top, its parts below, theirs below them, each as wide as its share.

import { significant } from "../../core/index.ts";
import { element, type Markup, text } from "../markup.ts";
import { type ChartOptions, chartRoot, colourClass, FONT_SIZE, fitted } from "./frame.ts";
import { px } from "./label.ts";

export interface IcicleNode {
  readonly label: string;
  /** That of its children and its own. */
  readonly value: number;
  readonly children: readonly IcicleNode[];
}

export interface IcicleData {
  readonly title: string;
  /** What the width stands for, such as `FLOP`. */
  readonly measure: string;
  readonly root: IcicleNode;
}

const ROW = 26;
/** Narrower parts cannot be seen; what they stand for stays blank. */
const NARROWEST = 1;
const PADDING = 4;
const MOST_LEVELS = 12;
const SPOKEN = 5;
/** The grey of the palette, for what is not yet parted. */
const WHOLE = 7;

/** Height of the chart of a tree. */
export const icicleHeight = (root: IcicleNode): number =>
  Math.min(MOST_LEVELS, depthOf(root)) * ROW + 2;

/** The chart as SVG text. */
export function icicleChart(
  { title, measure, root }: IcicleData,
  options: Omit<ChartOptions, "height">,
): Markup {
  const marks: Markup[] = [];
  const share = (value: number): string => `${significant((100 * value) / root.value)} %`;
  const draw = (node: IcicleNode, at: { x: number; level: number; colour: number }): void => {
    const width = (node.value / root.value) * (options.width - 2);
    if (width < NARROWEST || at.level >= MOST_LEVELS) return;
    marks.push(block(node, { ...at, width, share: share(node.value) }));
    let x = at.x;
    for (const [index, child] of node.children.entries()) {
      // Colours part where the tree first does.
      const parts = at.colour === WHOLE && node.children.length > 1;
      draw(child, { x, level: at.level + 1, colour: parts ? index % WHOLE : at.colour });
      x += (child.value / root.value) * (options.width - 2);
    }
  };
  if (root.value > 0) draw(root, { x: 1, level: 0, colour: WHOLE });
  const largest = root.children.toSorted((a, b) => b.value - a.value).slice(0, SPOKEN);
  const spoken = largest.map(({ label, value }) => `${label}: ${share(value)}.`).join(" ");
  return chartRoot(
    { ...options, height: icicleHeight(root) },
    { title, description: `Shares of ${measure}. ${spoken}` },
    ...marks,
  );
}

interface Place {
  readonly x: number;
  readonly level: number;
  readonly colour: number;
  readonly width: number;
  readonly share: string;
}

function block({ label }: IcicleNode, { x, level, colour, width, share }: Place): Markup {
  const y = 1 + level * ROW;
  const shown = fitted(label, width - 2 * PADDING);
  return element(
    "g",
    {},
    element(
      "rect",
      {
        class: `part fill faint ${colourClass(colour)}`,
        x: px(x),
        y,
        width: px(width),
        height: ROW - 1,
      },
      element("title", {}, text(`${label}: ${share}`)),
    ),
    shown === ""
      ? null
      : element(
          "text",
          { class: "label", x: px(x + PADDING), y: y + ROW / 2 + FONT_SIZE / 3 },
          text(shown),
        ),
  );
}

const depthOf = ({ children }: IcicleNode): number =>
  1 + children.reduce((most, child) => Math.max(most, depthOf(child)), 0);
