// Candidates in the plane of what they lose and what they cost, with the front of those that none beats.

import { element, type Markup, text } from "../markup.ts";
import {
  axisLabels,
  type ChartOptions,
  chartRoot,
  colourClass,
  FONT_SIZE,
  fitted,
} from "./frame.ts";
import { labelWidth, placeLabels, px } from "./label.ts";
import { linearScale, linearTicks, niceExtent } from "./scale.ts";

interface ParetoPoint {
  readonly label: string;
  /** Drop of the metric, in the unit of the axis. */
  readonly drop: number;
  /** Share of the original's cost. */
  readonly cost: number;
  readonly isFront: boolean;
  readonly isChosen: boolean;
}

export interface ParetoData {
  readonly title: string;
  readonly dropLabel: string;
  readonly costLabel: string;
  readonly points: readonly ParetoPoint[];
  /** The accepted drop: a line. */
  readonly budget: number;
}

const LEFT = 56;
const RIGHT = 16;
const TOP = 22;
const BOTTOM = 44;
const BUDGET = "budget";

/** The chart as SVG text. */
export function paretoChart(data: ParetoData, options: ChartOptions): Markup {
  const { width, height } = options;
  const { points, budget } = data;
  const drops = [0, budget, ...points.map(({ drop }) => drop)].filter(Number.isFinite);
  const across = niceExtent([Math.min(...drops), Math.max(...drops) || 1], 6);
  const up = niceExtent([0, Math.max(1, ...points.map(({ cost }) => cost))], 5);
  const x = linearScale(across, [LEFT, width - RIGHT]);
  const y = linearScale(up, [height - BOTTOM, TOP]);
  const xTicks = linearTicks(across, width < 500 ? 4 : 8);
  const front = points
    .filter(({ isFront }) => isFront)
    .toSorted((a, b) => a.drop - b.drop || a.cost - b.cost);
  const line = front.map(({ drop, cost }) => `${px(x(drop))} ${px(y(cost))}`).join("L");
  return chartRoot(
    options,
    { title: data.title, description: describe(data) },
    ...linearTicks(up, 5).map((tick) =>
      element(
        "g",
        {},
        element(
          "g",
          { class: "grid" },
          element("path", { d: `M${LEFT} ${px(y(tick))}H${px(width - RIGHT)}` }),
        ),
        element(
          "g",
          { class: "axis" },
          element(
            "text",
            { x: LEFT - 6, y: px(y(tick) + 4), "text-anchor": "end" },
            text(`${Math.round(100 * tick)} %`),
          ),
        ),
      ),
    ),
    element(
      "g",
      { class: "mark dashed" },
      element("line", { x1: px(x(budget)), x2: px(x(budget)), y1: TOP, y2: px(height - BOTTOM) }),
    ),
    budgetLabel(x(budget), width),
    front.length < 2 ? null : element("path", { class: `line ${colourClass(0)}`, d: `M${line}` }),
    ...points.map((point) => mark(point, x(point.drop), y(point.cost))),
    axisLabels(
      placeLabels(
        xTicks.map((tick) => ({ at: x(tick), label: String(tick) })),
        [LEFT, width],
        FONT_SIZE,
      ),
      height - BOTTOM + 16,
    ),
    element(
      "g",
      { class: "axis" },
      element(
        "text",
        { x: px(width - RIGHT), y: height - 8, "text-anchor": "end" },
        text(fitted(data.dropLabel, width - RIGHT)),
      ),
      element("text", { x: 0, y: 12 }, text(fitted(data.costLabel, width))),
    ),
  );
}

/** Beside its line, on the side where there is room. */
function budgetLabel(at: number, width: number): Markup {
  const gap = 4;
  const isLast = at + gap + labelWidth(BUDGET, FONT_SIZE) > width;
  return element(
    "text",
    {
      x: px(isLast ? at - gap : at + gap),
      y: TOP + 10,
      class: "label",
      "text-anchor": isLast ? "end" : "start",
    },
    text(BUDGET),
  );
}

function mark(
  { label, drop, cost, isFront, isChosen }: ParetoPoint,
  cx: number,
  cy: number,
): Markup {
  const title = element(
    "title",
    {},
    text(`${label}: drop ${drop.toPrecision(2)}, ${Math.round(100 * cost)} %`),
  );
  const colour = colourClass(isChosen ? 1 : isFront ? 0 : 7);
  if (!isChosen) {
    return element(
      "circle",
      { class: `part fill ${colour}`, cx: px(cx), cy: px(cy), r: isFront ? 5 : 3.5 },
      title,
    );
  }
  // A shape of its own: colour alone must not tell.
  const d = `M${px(cx)} ${px(cy - 9)}l9 9l-9 9l-9 -9z`;
  return element("path", { class: `part fill ${colour}`, d }, title);
}

function describe({ points, budget, dropLabel, costLabel }: ParetoData): string {
  const chosen = points.find(({ isChosen }) => isChosen);
  const front = points.filter(({ isFront }) => isFront).length;
  const answer =
    chosen === undefined
      ? "None was chosen."
      : `Chosen: ${chosen.label}, drop ${chosen.drop.toPrecision(2)}, ${Math.round(100 * chosen.cost)} % of the cost.`;
  return `${points.length} candidates by ${dropLabel} and ${costLabel}; the budget is ${budget}. ${front} are on the front. ${answer}`;
}
