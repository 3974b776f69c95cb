// What `godwit estimate` prints: an estimate with its parts, one method's arithmetic, and the table of all
// methods with what makes them differ.

import {
  formatDuration,
  formatFigure,
  significant,
  toKilowattHours,
  withPrefix,
} from "../core/index.ts";
import type {
  Answer,
  Comparison,
  MethodResult,
  OwnEstimate,
  Workload,
} from "../measure/methods/index.ts";
import { padded, printable, wrap } from "../report/columns.ts";
import { textTable } from "./text-table.ts";

const INDENT = "  ";

/** One line that says what was estimated. */
function headline({ cpu, gpus, memoryGB, hours, machine }: Workload): string {
  const parts = [
    ...(cpu === null
      ? []
      : [
          `${cpu.sockets > 1 ? `${cpu.sockets} x ` : ""}${cpu.name ?? "CPU"} at ${percent(cpu.usage)}`,
        ]),
    ...gpus.map(
      ({ name, count, usage }) =>
        `${count} x ${name}${usage === null ? "" : ` at ${percent(usage)}`}`,
    ),
    ...(memoryGB === null ? [] : [`${significant(memoryGB)} GB`]),
    `${formatDuration(hours * 3600)} on a ${machine}`,
  ];
  return printable(parts.join(", "));
}

/** godwit's own estimate: energy, emissions, parts, what was assumed. */
export function ownText(workload: Workload, own: OwnEstimate, width: number): string {
  const { energy, emissions } = own.figures;
  const kilowattHours = withPrefix(toKilowattHours(energy.value) * 1000, "Wh");
  return lines(width, [
    headline(workload),
    `${INDENT}energy     ${formatFigure(energy)}, ${kilowattHours}, ${energy.method}`,
    `${INDENT}emissions  ${formatFigure(emissions)}, ${emissions.method}`,
    ...partLines(own),
    ...own.factors.map(({ basis }) => `${INDENT}factor     ${basis}`),
    `${INDENT}place      ${answerText(own.intensity)}`,
    ...own.notes.map((note) => `${INDENT}note       ${note}`),
  ]);
}

/** One method's arithmetic, with the numbers filled in. */
export function methodText(
  workload: Workload,
  { method, result }: Comparison,
  width: number,
): string {
  return lines(width, [
    headline(workload),
    `${method.title} ${method.version}, ${method.scope}`,
    `${INDENT}energy     ${energyText(result.energy)}`,
    `${INDENT}emissions  ${emissionsText(result.emissions)}`,
    ...(result.embodied === undefined
      ? []
      : [`${INDENT}making     ${emissionsText(result.embodied)}, not in the emissions`]),
    ...result.terms.map(({ name, energy }) =>
      energy.status === "answered"
        ? `${INDENT}${padded(name, 9)}  ${energyText(energy)} = ${energy.formula}`
        : `${INDENT}${padded(name, 9)}  not counted: ${energy.reason}`,
    ),
    ...result.factors.map(({ basis }) => `${INDENT}factor     ${basis}`),
    `${INDENT}place      ${answerText(result.intensity)}`,
    `${INDENT}source     ${method.source}`,
  ]);
}

/** How many differences of energy a row of the table explains. */
const EXPLAINED = 3;

/** All methods beside our own, each with what makes it differ. */
export function comparisonText(
  workload: Workload,
  own: { readonly name: string; readonly result: MethodResult },
  { rows, width }: { readonly rows: readonly Comparison[]; readonly width: number },
): string {
  const table = textTable(
    [
      { title: "METHOD", flexible: true },
      { title: "ENERGY", align: "right" },
      { title: "EMISSIONS", align: "right" },
      { title: "x", align: "right" },
      { title: "BOUNDARY" },
    ],
    [
      [
        own.name,
        energyText(own.result.energy),
        emissionsText(own.result.emissions),
        "1",
        "facility",
      ],
      ...rows.map(({ method, result, energyRatio }) => [
        method.name,
        `${result.missing.length > 0 && result.energy.status === "answered" ? "> " : ""}${energyText(result.energy)}`,
        emissionsText(result.emissions),
        energyRatio === null ? "-" : significant(energyRatio, 2),
        method.scope,
      ]),
    ],
    width,
  );
  const [head = "", first = "", ...rest] = table;
  const body = rest.flatMap((line, at) => {
    const row = rows[at];
    return [
      line,
      ...(row === undefined ? [] : reasonsOf(row)).flatMap((reason) => block(reason, width)),
    ];
  });
  return `${[...wrap(headline(workload), width), "", head, first, ...body].join("\n")}\n`;
}

/** Whether a table has answers that leave something out. */
export const hasPartial = (rows: readonly Comparison[]): boolean =>
  rows.some(({ result }) => result.missing.length > 0 && result.energy.status === "answered");

function reasonsOf({ result, differences }: Comparison): readonly string[] {
  if (result.energy.status === "unsupported") return [result.energy.reason];
  const energy = differences.filter(({ unit }) => unit === "J");
  const shown = energy.slice(0, EXPLAINED).map(({ text }) => text);
  const more = energy.length > EXPLAINED ? [`and ${energy.length - EXPLAINED} smaller`] : [];
  const place = differences.filter(({ unit }) => unit === "gCO2e").map(({ text }) => text);
  return [...shown, ...more, ...place];
}

const block = (text: string, width: number): readonly string[] =>
  wrap(printable(text), width - 2 * INDENT.length).map(
    (line, at) => `${at === 0 ? INDENT : INDENT.repeat(2)}${line}`,
  );

function partLines(own: OwnEstimate): readonly string[] {
  return own.terms.map(({ name, energy }) =>
    energy.status === "answered"
      ? `${INDENT}${padded(name, 9)}  ${energyText(energy)}: ${energy.basis}`
      : `${INDENT}${padded(name, 9)}  ${energy.reason}`,
  );
}

const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;

const energyText = (answer: Answer<"J">): string =>
  answer.status === "answered" ? withPrefix(toKilowattHours(answer.value) * 1000, "Wh") : "-";

function emissionsText(answer: Answer<"gCO2e">): string {
  if (answer.status === "unsupported") return "-";
  const { value } = answer;
  return value >= 1e6 ? `${significant(value / 1e6)} tCO2e` : withPrefix(value, "gCO2e");
}

const answerText = (answer: Answer<"gCO2e/kWh">): string =>
  answer.status === "answered" ? answer.basis : answer.reason;

/** Each line wrapped, continued two columns further in than its label. */
function lines(width: number, texts: readonly string[]): string {
  const HANG = 13;
  const all = texts.flatMap((text) => {
    const indented = text.startsWith(INDENT);
    if (!indented) return wrap(printable(text), width);
    const label = text.slice(0, HANG);
    const [first = "", ...more] = wrap(printable(text.slice(HANG)), width - HANG);
    return [label + first, ...more.map((line) => " ".repeat(HANG) + line)];
  });
  return `${all.join("\n")}\n`;
}
