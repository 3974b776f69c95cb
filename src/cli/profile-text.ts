// A profile in a terminal of 80 columns: the answer first, then where it goes.

import { basename } from "node:path";
import { formatFigure, formatQuantity, significant, withPrefix } from "../core/index.ts";
import type { DeviceCost } from "../measure/profile/device.ts";
import {
  type Amount,
  formatAmount,
  isExact,
  type ModelCount,
  numberOf,
  type Row,
  type Rows,
  type Sparsity,
  type TrainingCost,
  type View,
} from "../measure/profile/index.ts";
import type { BackwardCount } from "../models/train/count-backward.ts";
import { formatSize, type Size } from "../onnx/index.ts";
import { wrap } from "../report/columns.ts";
import { type TextColumn, textTable } from "./text-table.ts";

/** A count with its unit: `569 MMAC`, `3.1 to 4 kMAC`, or an expression. */
export function amountText(amount: Amount | null, unit: "MAC" | "FLOP" | "B"): string {
  if (amount === null) return "too long an expression; give the sizes of the inputs";
  if (isExact(amount)) return sizeText(amount.least, unit);
  const { least, most } = amount;
  if (typeof least === "number" && typeof most === "number")
    return `${withPrefix(least, unit)} to ${withPrefix(most, unit)}`;
  return `${formatAmount(amount)} ${unit}`;
}

const sizeText = (size: Size, unit: "MAC" | "FLOP" | "B"): string =>
  typeof size === "number" ? withPrefix(size, unit) : `${formatSize(size)} ${unit}`;

const CONVENTION = {
  default: "2 a MAC, 1 an operation on an element",
  tfprof: "as tfprof registers them",
  toolkit: "as the greenness toolkit weighs them",
} as const;

const WORDS = 12;

/** The facts of a model, one a line, wrapped. */
export function summaryText(model: ModelCount, file: string, width: number): string {
  const { totals, activations, cache } = model;
  const lines: (readonly [string, string])[] = [
    ...model.inputs.map(({ name, type, shape }): [string, string] => [
      "input",
      `${name} ${type} ${shape}`,
    ]),
    ["parameters", parameterText(model)],
    ["weights", weightText(model)],
    [
      "operations",
      `${amountText(totals.macs, "MAC")}; ${amountText(totals.flops, "FLOP")} (${CONVENTION[model.convention]})`,
    ],
    ["traffic", trafficText(model)],
    ["activations", activationText(activations)],
  ];
  if (cache !== null) {
    lines.push([
      "kv cache",
      `${sizeText(cache.bytes, "B")} after the step, ${sizeText(cache.bytesPerToken, "B")} a token`,
    ]);
  }
  if (model.symbols.length > 0) {
    lines.push([
      "open sizes",
      `${model.symbols.join(", ")}: choose with --batch, --size NAME=N or --input`,
    ]);
  }
  for (const { operator, reason, nodes } of model.uncounted) {
    lines.push(["not counted", `${nodes.length} ${operator} (${reason})`]);
  }
  for (const fault of model.faults) lines.push(["fault", fault]);
  const nodes = `${totals.nodes} ${totals.nodes === 1 ? "node" : "nodes"}`;
  const body = lines.flatMap(([name, text]) => hanging(name, text, width));
  return `${basename(file)}, ${nodes}\n${body.join("\n")}\n`;
}

function hanging(name: string, text: string, width: number): readonly string[] {
  return wrap(text, Math.max(20, width - WORDS - 3)).map((line, at) =>
    `  ${(at === 0 ? name : "").padEnd(WORDS)} ${line}`.trimEnd(),
  );
}

const count = (value: number): string => value.toLocaleString("en");

function parameterText({ parameters }: ModelCount): string {
  const parts = [
    `${count(parameters.total)} in all`,
    `${count(parameters.trainable)} trainable`,
    ...(parameters.buffer > 0 ? [`${count(parameters.buffer)} buffers`] : []),
    ...(parameters.dead > 0 ? [`${count(parameters.dead)} that nothing reads`] : []),
  ];
  return parts.join(", ");
}

function weightText({ bytes, bytesByType }: ModelCount): string {
  const types = Object.entries(bytesByType).sort(([, a], [, b]) => b - a);
  const parts = types.map(([type, size]) => `${withPrefix(size, "B")} ${type}`);
  return types.length < 2 ? (parts[0] ?? "none") : `${withPrefix(bytes, "B")}: ${parts.join(", ")}`;
}

function trafficText({ totals }: ModelCount): string {
  const moved = `reads ${amountText(totals.reads, "B")}, writes ${amountText(totals.writes, "B")}`;
  const intensity = intensityOf(totals);
  return intensity === null ? moved : `${moved}: ${significant(intensity)} FLOP/B`;
}

function activationText({ withReuse, withoutReuse, peakNode }: ModelCount["activations"]): string {
  const all = withoutReuse === null ? "not known" : sizeText(withoutReuse, "B");
  if (withReuse === null) return `${all} without reuse; the peak needs sizes`;
  return `${withPrefix(withReuse, "B")} at most at once (at ${peakNode}), ${all} without reuse`;
}

/** FLOPs for each byte moved; null while they are no numbers or nothing moves. */
function intensityOf({ flops, reads, writes }: Row["totals"]): number | null {
  const [work, read, written] = [flops, reads, writes].map((of) =>
    of === null ? null : numberOf(of),
  );
  if (work == null || read == null || written == null || read + written === 0) return null;
  return work / (read + written);
}

/** The rows of a view as a table. */
export function rowsText({ rows, cut }: Rows, by: View, width: number): string {
  const node = by === "node";
  const columns: readonly TextColumn[] = [
    { title: by.toUpperCase(), flexible: true },
    ...(node
      ? [{ title: "OPERATOR", flexible: true }]
      : [{ title: "NODES", align: "right" as const }]),
    { title: "PARAMS", align: "right" },
    { title: "MAC", align: "right", flexible: true },
    { title: "FLOP", align: "right", flexible: true },
    { title: "SHARE", align: "right" },
    { title: "BYTES", align: "right", flexible: true },
    { title: "FLOP/B", align: "right" },
  ];
  const cells = rows.map((row) => {
    const { name, operator, totals, share } = row;
    const moved =
      totals.reads === null || totals.writes === null ? null : bothOf(totals.reads, totals.writes);
    const intensity = intensityOf(totals);
    const starred = totals.uncounted > 0 ? "?" : "";
    return [
      name,
      node ? (operator ?? "") : String(totals.nodes),
      totals.parameters === 0 ? "-" : withPrefix(totals.parameters, "").trimEnd(),
      short(totals.macs) + starred,
      short(totals.flops) + starred,
      share === null ? "" : `${(100 * share).toFixed(1)} %`,
      moved,
      intensity === null ? "" : significant(intensity),
    ].map((cell) => cell ?? "");
  });
  // A column without a single value gives its room to the others.
  const used = columns.map((_, at) => at === 0 || cells.some((row) => row[at] !== ""));
  const kept = <T>(list: readonly T[]): readonly T[] => list.filter((_, at) => used[at]);
  const lines = textTable(kept(columns), cells.map(kept), width);
  const more = cut === 0 ? [] : [`... and ${cut} more (--top ${rows.length + cut})`];
  return `${[...lines, ...more].join("\n")}\n`;
}

const short = (amount: Amount | null): string =>
  amount === null ? "?" : amountOrExpression(amount);

function amountOrExpression(amount: Amount): string {
  const number = numberOf(amount);
  if (number !== null) return number === 0 ? "-" : withPrefix(number, "").trimEnd();
  const { least, most } = amount;
  if (typeof least === "number" && typeof most === "number")
    return `${withPrefix(least, "").trimEnd()}..${withPrefix(most, "").trimEnd()}`;
  return formatAmount(amount);
}

function bothOf(reads: Amount, writes: Amount): string {
  const [read, written] = [numberOf(reads), numberOf(writes)];
  return read === null || written === null
    ? `${amountOrExpression(reads)}`
    : withPrefix(read + written, "").trimEnd();
}

/** What a training step adds: by rule, and as the gradients are written out. */
export function trainingText(
  cost: TrainingCost | null,
  backward: BackwardCount | null,
  width: number,
): string {
  if (cost === null) return "training: too long an expression; give the sizes of the inputs\n";
  const text = `${amountText(cost.total, "FLOP")} a step: forward ${amountText(cost.forward, "FLOP")}, backward twice that by rule, ${cost.optimizer} ${formatQuantity(cost.update, "FLOP")}`;
  const lines = hanging("training", text, width);
  const exact = backward === null ? [] : hanging("backward", backwardText(cost, backward), width);
  return `${[...lines, ...exact].join("\n")}\n`;
}

function backwardText({ forward }: TrainingCost, backward: BackwardCount): string {
  if (backward.status === "refused") return `only by rule: ${backward.reason}`;
  const { totals } = backward;
  const [exact, before] = [totals.flops && numberOf(totals.flops), numberOf(forward)];
  const times = exact && before ? `, ${(exact / before).toFixed(2)} times the forward pass` : "";
  const uncounted = totals.uncounted === 0 ? "" : `; ${totals.uncounted} nodes are not counted`;
  return `${amountText(totals.flops, "FLOP")} as written out${times}: ${amountText(totals.macs, "MAC")} in ${totals.nodes} nodes${uncounted}`;
}

/** How many parameters are zero, and the tensors with most of them. */
export function sparsityText({ elements, zeros, tensors }: Sparsity, width: number): string {
  const percent = (part: number, whole: number): string =>
    whole === 0 ? "0 %" : `${((100 * part) / whole).toFixed(1)} %`;
  const most = tensors
    .filter((of) => of.zeros > 0)
    .toSorted((a, b) => b.zeros - a.zeros)
    .slice(0, 3)
    .map((of) => `${of.name} ${percent(of.zeros, of.elements)}`);
  const text = [`${percent(zeros, elements)} of the parameters are zero`, ...most].join("; ");
  return `${hanging("sparsity", text, width).join("\n")}\n`;
}

/** Time and energy on a device that the model does not run on. */
export function deviceText(cost: DeviceCost, width: number): string {
  const { device, precision, time, energy, bound, binding, bindingShare } = cost;
  const share = `${(100 * bindingShare).toFixed(0)} % of it ${binding}`;
  const text = [
    `${device.name}, ${precision === "half" ? "16" : "32"} bits`,
    `${formatFigure(time)}, ${formatFigure(energy)}, ${time.method}`,
    `at least ${withPrefix(bound, "s")} by its roofline, ${share}-bound`,
  ].join("; ");
  return `${hanging("device", text, width).join("\n")}\n`;
}
