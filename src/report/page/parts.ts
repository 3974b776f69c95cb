// Small pieces that the sections of the HTML report share.

import { type AnyFigure, formatQuantity, type Method } from "../../core/index.ts";
import { type Child, element, join, type Markup, text } from "../markup.ts";
import { intervalText } from "./interval.ts";

/** A section with its heading; `id` is unique in the page. */
export function section(id: string, title: string, ...children: Child[]): Markup {
  return element(
    "section",
    { "aria-labelledby": id },
    element("h2", { id }, text(title)),
    ...children,
  );
}

/** The mark and the word of a method. */
export function methodMark(method: Method): Markup {
  return element("span", { class: `method ${method}` }, text(method));
}

/** A value in three digits; the full one, its interval and its origin on hover. */
export function valueMark(of: AnyFigure, className?: string): Markup {
  return element(
    "span",
    { class: className ?? null, title: fullText(of) },
    text(formatQuantity(of.value, of.unit)),
  );
}

/** Every digit of a figure, for the hover text. */
function fullText(of: AnyFigure): string {
  const unit = of.unit === "1" ? "" : ` ${of.unit}`;
  const range = of.low === of.high ? "exact" : `90 %: ${of.low} to ${of.high}${unit}`;
  return `${of.value}${unit} (${range}), ${of.method}, ${of.source}`;
}

/** A tile of the summary: name, value, interval, method. */
export function tile(
  name: string,
  of: AnyFigure,
  options: { className?: string; note?: string } = {},
): Markup {
  const range = intervalText(of);
  return element(
    "div",
    { class: options.className ?? null },
    element("dt", {}, text(name)),
    element(
      "dd",
      {},
      valueMark(of, "value"),
      range === "" ? null : element("span", { class: "range" }, text(range)),
      options.note === undefined ? null : element("span", { class: "range" }, text(options.note)),
      methodMark(of.method),
    ),
  );
}

export interface Column {
  readonly title: string;
  readonly kind?: "number" | "words";
}

/** A table that scrolls sideways inside its own frame, reachable by keyboard. */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Child[])[],
): Markup {
  const head = columns.map(({ title, kind }) =>
    element("th", { scope: "col", class: kind ?? null }, text(title)),
  );
  const body = rows.map((row) =>
    element(
      "tr",
      {},
      ...row.map((cell, index) =>
        index === 0
          ? element("th", { scope: "row" }, cell)
          : element("td", { class: columns[index]?.kind ?? null }, cell),
      ),
    ),
  );
  return element(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    element(
      "table",
      {},
      element("caption", {}, element("span", {}, text(caption))),
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...body),
    ),
  );
}

/** Names and values, one a line. */
export function facts(rows: readonly (readonly [string, string])[]): Markup {
  return element(
    "dl",
    { class: "facts" },
    ...rows.map(([name, value]) =>
      join([element("dt", {}, text(name)), element("dd", {}, text(value))]),
    ),
  );
}

export const paragraph = (words: string, className?: string): Markup =>
  element("p", { class: className ?? null }, text(words));
