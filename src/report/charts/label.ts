// Text on a chart: how wide it is, what a tick says, and which labels fit beside each other.

import { significant, withPrefix } from "../../core/index.ts";

/** Mean advance of a digit or letter of a sans-serif face, in ems. Generous on purpose. */
const EM_PER_CHARACTER = 0.6;

/** Width that a label may need, in the units of its font size. */
export function labelWidth(label: string, fontSize: number): number {
  return label.length * fontSize * EM_PER_CHARACTER;
}

export interface Placed {
  /** Centre of the label, or the edge that `anchor` names. */
  readonly at: number;
  readonly label: string;
  readonly anchor: "start" | "middle" | "end";
}

/**
 * Labels under their ticks. One that would stand out of [from, to] is turned inwards; one that
 * would touch its left neighbour is left out, and the last one stays rather than the one before.
 */
export function placeLabels(
  labels: readonly { readonly at: number; readonly label: string }[],
  [from, to]: readonly [number, number],
  fontSize: number,
): readonly Placed[] {
  const gap = fontSize;
  const placed: { entry: Placed; left: number; right: number }[] = [];
  for (const { at, label } of labels) {
    const width = labelWidth(label, fontSize);
    const anchor = at - width / 2 < from ? "start" : at + width / 2 > to ? "end" : "middle";
    const left = anchor === "start" ? at : anchor === "end" ? at - width : at - width / 2;
    const candidate = { entry: { at, label, anchor }, left, right: left + width } as const;
    const last = placed.at(-1);
    if (last !== undefined && candidate.left < last.right + gap) {
      const isFinal = label === labels.at(-1)?.label && at === labels.at(-1)?.at;
      if (!isFinal || placed.length === 1) continue;
      placed.pop();
    }
    placed.push(candidate);
  }
  return placed.map(({ entry }) => entry);
}

/** Elapsed time on an axis: `0`, `0.5 s`, `30 s`, `5 min`, `1 h 30`, `2 d`. */
export function timeLabel(seconds: number): string {
  if (seconds === 0) return "0";
  if (seconds < 60) return `${Number(seconds.toPrecision(3))} s`;
  if (seconds < 3600) {
    const rest = Math.round(seconds % 60);
    return rest === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${rest}`;
  }
  if (seconds < 86_400) {
    const rest = Math.round((seconds % 3600) / 60);
    return rest === 0
      ? `${seconds / 3600} h`
      : `${Math.floor(seconds / 3600)} h ${String(rest).padStart(2, "0")}`;
  }
  const rest = Math.round((seconds % 86_400) / 3600);
  const days = `${Math.floor(seconds / 86_400)} d`;
  return rest === 0 ? days : `${days} ${rest} h`;
}

/** A quantity on an axis, without digits that say nothing: `0`, `50 W`, `1.5 kW`. */
export function quantityLabel(value: number, unit: string): string {
  if (value === 0) return "0";
  return withPrefix(value, unit)
    .replace(/^(-?\d+\.\d*?)0+(?=\s)/, "$1")
    .replace(/\.(?=\s)/, "");
}

/** A coordinate with a hundredth of a pixel, so that golden files are short and stable. */
export function px(value: number): number {
  return Math.round(value * 100) / 100;
}

/** A share as a whole percentage, or `< 1 %`. */
export function percent(share: number): string {
  if (share > 0 && share < 0.005) return "< 1 %";
  return `${significant(share * 100, share < 0.095 ? 1 : 2)} %`;
}
