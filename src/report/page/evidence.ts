// The lower part of the HTML report: emissions, equivalents, the arithmetic, the origin of every
// figure, the machine.

import type { Card, Step } from "../../core/card.ts";
import {
  type AnyFigure,
  formatDuration,
  formatFigure,
  formatQuantity,
  significant,
  withPrefix,
} from "../../core/index.ts";
import { type Equivalent, equivalentRange, equivalentText } from "../equivalents.ts";
import { figuresOf } from "../headline.ts";
import { element, join, type Markup, text } from "../markup.ts";
import { signalText } from "../words.ts";
import { intervalText } from "./interval.ts";
import { facts, methodMark, paragraph, section, table, valueMark } from "./parts.ts";

/** Which grid, and what the emissions compare with. */
export function emissionSection(
  { measures, signal, boundary }: Card,
  equivalents: readonly Equivalent[],
): Markup | null {
  const { emissions } = measures;
  if (emissions === undefined && equivalents.length === 0) return null;
  const rows: (readonly [string, string])[] = [];
  if (emissions !== undefined) rows.push(["emissions", formatFigure(emissions)]);
  if (signal !== undefined) {
    rows.push(
      ["carbon intensity", `${formatFigure(signal.intensity)}, ${signal.intensity.method}`],
      ["grid", `${signalText(signal)}; ${signal.basis}-based`],
      ["source", signal.intensity.source],
    );
  }
  if (boundary.pue !== undefined) {
    rows.push(["PUE", `${formatFigure(boundary.pue)}, ${boundary.pue.source}`]);
  }
  return section(
    "emissions",
    "Emissions",
    rows.length === 0 ? null : facts(rows),
    equivalents.length === 0 ? null : likes(equivalents),
  );
}

function likes(equivalents: readonly Equivalent[]): Markup {
  return join([
    element("h3", {}, text("About as much as")),
    element(
      "ul",
      { class: "likes" },
      ...equivalents.map((equivalent) =>
        element(
          "li",
          {},
          element(
            "strong",
            { title: String(equivalent.count.value) },
            text(equivalentText(equivalent)),
          ),
          element(
            "span",
            { class: "soft" },
            text(
              `${equivalentRange(equivalent)}, estimated. One ${equivalent.thing.per}: ${formatQuantity(equivalent.thing.amount.value, equivalent.thing.amount.unit)}. ${equivalent.thing.amount.source}`,
            ),
          ),
        ),
      ),
    ),
  ]);
}

/** Every arrow from counter to carbon, with the numbers filled in. */
export function arithmeticSection({ steps }: Card): Markup | null {
  if (steps.length === 0) return null;
  return section(
    "arithmetic",
    "The arithmetic",
    element("ol", { class: "steps" }, ...steps.map(stepItem)),
  );
}

function stepItem(step: Step): Markup {
  const inputs = Object.entries(step.inputs).map(([name, input]) =>
    join([text(`${name} = `), looseMark(input)]),
  );
  return element(
    "li",
    {},
    element("h3", {}, text(step.name)),
    element("p", {}, element("code", {}, text(step.formula)), text(" = "), looseMark(step.result)),
    inputs.length === 0 ? null : element("p", { class: "soft" }, text("with "), join(inputs, ", ")),
    paragraph(step.source, "soft"),
  );
}

/** A figure whose unit may be one that a newer version added. */
function looseMark(of: Step["result"]): Markup {
  const figure = of as AnyFigure;
  const words = formatFigure(figure) as string | undefined;
  return element(
    "span",
    { title: `${of.value} ${of.unit}, ${of.method}, ${of.source}` },
    text(words ?? `${significant(of.value)} ${of.unit}`),
  );
}

/** One row a figure: value, interval, method, source, and why no better method was used. */
export function provenanceSection(card: Card): Markup {
  // Spans have their own table, with the same columns.
  const figures = figuresOf(card).filter(({ group }) => group !== "span");
  // Many figures share one long list of reasons, so a list is told once and referred to by number.
  const lists = new Map<string, readonly string[]>();
  for (const { figure } of figures) {
    const reasons = figure.fallbacks ?? [];
    if (reasons.length > 1) lists.set(reasons.join("\n"), reasons);
  }
  const numbers = new Map([...lists.keys()].map((key, index) => [key, index + 1]));
  return section(
    "provenance",
    "Where every number comes from",
    legend(),
    table(
      "Figures with their 90 % intervals",
      [
        { title: "figure" },
        { title: "value", kind: "number" },
        { title: "90 % interval", kind: "number" },
        { title: "method" },
        { title: "source", kind: "words" },
      ],
      figures.map(({ label, figure }) => [
        text(label),
        valueMark(figure),
        text(intervalText(figure) || "exact"),
        methodMark(figure.method),
        join([text(figure.source), whyNotBetter(figure.fallbacks ?? [], numbers)]),
      ]),
    ),
    lists.size === 0 ? null : reasonNotes([...lists.values()]),
  );
}

/** The one reason, or the number of the note that lists them all. */
function whyNotBetter(
  reasons: readonly string[],
  numbers: ReadonlyMap<string, number>,
): Markup | null {
  const [only] = reasons;
  if (only === undefined) return null;
  const number = numbers.get(reasons.join("\n"));
  return element(
    "span",
    { class: "why" },
    text("why not better: "),
    number === undefined
      ? text(only)
      : element("a", { href: `#reasons-${number}` }, text(`note ${number}`)),
  );
}

function reasonNotes(lists: readonly (readonly string[])[]): Markup {
  return element(
    "ol",
    { class: "notes" },
    ...lists.map((reasons, index) =>
      element("li", { id: `reasons-${index + 1}` }, text(reasons.join("; "))),
    ),
  );
}

function legend(): Markup {
  const meanings = [
    ["measured", "a counter or meter"],
    ["sampled", "power readings, integrated"],
    ["estimated", "a model"],
    ["declared", "said by a person, a file or a published table"],
  ] as const;
  return element(
    "p",
    { class: "soft" },
    join(
      meanings.map(([method, meaning]) => join([methodMark(method), text(`: ${meaning}`)])),
      "; ",
    ),
  );
}

/** What it ran on, and what godwit itself cost. */
export function machineSection({ machine, overhead, boundary }: Card): Markup {
  const { cpu } = machine;
  const rows: (readonly [string, string])[] = [
    ["CPU", cpuText(cpu)],
    ["memory", withPrefix(machine.memoryBytes, "B")],
    ...machine.gpus.map((gpu) => ["GPU", gpu.name] as const),
    ["system", `${machine.platform} ${machine.release}, ${machine.arch}`],
    ["virtualization", machine.virtualization ?? "none (bare metal)"],
    ["machine", machine.id],
    ["boundary", `${boundary.scope}; ${boundary.idlePolicy}`],
  ];
  if (overhead !== undefined) {
    rows.push([
      "cost of measuring",
      `${formatDuration(overhead.cpuS)} of CPU time, ${withPrefix(overhead.rssBytes, "B")} of memory`,
    ]);
  }
  return section("machine", "The machine", facts(rows));
}

function cpuText(cpu: Card["machine"]["cpu"]): string {
  const cores = cpu.cores === undefined ? "" : `, ${cpu.cores} cores`;
  const sockets = cpu.sockets !== undefined && cpu.sockets > 1 ? `, ${cpu.sockets} sockets` : "";
  return `${cpu.name}${sockets}${cores}, ${cpu.threads} threads`;
}
