// A run's figure as a badge: an SVG of its own, or the JSON that shields.io asks an endpoint for
// (shields.io/badges/endpoint-badge, schemaVersion 1). Colours say how the number came to be, not
// whether it is good: there is no standard by which it would be.

import type { Card } from "../../core/card.ts";
import { type AnyFigure, formatQuantity, type Method, UserError } from "../../core/index.ts";
import { labelWidth, px } from "../charts/label.ts";
import { headlineEnergy } from "../headline.ts";
import { element, legible, text } from "../markup.ts";

export type BadgeMetric = "energy" | "emissions" | "duration" | "water";

export interface BadgeOptions {
  readonly metric: BadgeMetric;
  /** Left text; the metric's name unless given. */
  readonly label?: string;
  /** Divides the figure, and what of: `{ count: 1000, noun: "inference" }`. */
  readonly per?: { readonly count: number; readonly noun: string };
}

interface Badge {
  readonly label: string;
  readonly message: string;
  /** Method, interval and date, for those who look closer. */
  readonly title: string;
  readonly color: string;
}

/** Of the palette of shields.io, which renders the endpoint; a dark text is legible on none. */
const COLOR_OF: Readonly<Record<Method, string>> = {
  measured: "#2f7d3b",
  sampled: "#2f7d3b",
  estimated: "#8a5a00",
  declared: "#555555",
};

const HEIGHT = 20;
const FONT = 11;
const PADDING = 6;

/** The badge as a picture. */
export function renderBadge(card: Card, options: BadgeOptions): string {
  const { label, message, title, color } = badgeOf(card, options);
  const left = labelWidth(label, FONT) + 2 * PADDING;
  const right = labelWidth(message, FONT) + 2 * PADDING;
  const width = px(left + right);
  const half = (content: string, x: number, span: number) =>
    element(
      "text",
      { x: px(x + span / 2), y: 14, textLength: px(span - 2 * PADDING) },
      text(content),
    );
  const svg = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width,
      height: HEIGHT,
      role: "img",
      "aria-label": `${label}: ${message}`,
    },
    element("title", {}, text(title)),
    element("rect", { width, height: HEIGHT, rx: 3, fill: "#444444" }),
    element("rect", { x: px(left), width: px(right), height: HEIGHT, rx: 3, fill: color }),
    element("rect", { x: px(left), width: 4, height: HEIGHT, fill: color }),
    element(
      "g",
      {
        fill: "#ffffff",
        "text-anchor": "middle",
        "font-family": "Verdana,DejaVu Sans,sans-serif",
        "font-size": FONT,
      },
      half(label, 0, left),
      half(message, left, right),
    ),
  );
  return `${svg}\n`;
}

/** What an endpoint answers to shields.io. */
export function badgeEndpoint(card: Card, options: BadgeOptions): string {
  const { label, message, color } = badgeOf(card, options);
  return `${JSON.stringify({ schemaVersion: 1, label, message, color }, null, 2)}\n`;
}

function badgeOf(card: Card, { metric, label, per }: BadgeOptions): Badge {
  const whole = figureOf(card, metric);
  const figure = per === undefined ? whole : divided(whole, per.count);
  const noun = per === undefined ? "" : ` per ${legible(per.noun)}`;
  const estimate = figure.method === "measured" || figure.method === "sampled" ? "" : "~";
  const quantity = (value: number) => formatQuantity(value, figure.unit);
  const range = `${quantity(figure.low)} to ${quantity(figure.high)}, 90 % interval`;
  return {
    label: legible(label ?? metric).trim() || metric,
    message: `${estimate}${quantity(figure.value)}${noun}`,
    title: `${figure.method}, ${range}, ${card.endedAt.slice(0, 10)}, godwit run ${card.id}`,
    color: COLOR_OF[figure.method],
  };
}

function figureOf(card: Card, metric: BadgeMetric): AnyFigure {
  const { measures } = card;
  const figure: AnyFigure | undefined =
    metric === "energy" ? headlineEnergy(card)?.figure : measures[metric];
  if (figure !== undefined) return figure;
  throw new UserError("invalid-input", `run ${card.id} has no ${metric}`, {
    hint: "Choose another with --metric: energy, emissions, duration or water.",
  });
}

const divided = (figure: AnyFigure, by: number): AnyFigure => ({
  ...figure,
  value: figure.value / by,
  low: figure.low / by,
  high: figure.high / by,
});
