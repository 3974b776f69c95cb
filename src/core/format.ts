// Numbers for people: three significant figures, SI prefixes, an interval beside the value.

import type { AnyFigure } from "./figure.ts";
import type { Unit } from "./quantity.ts";

const PREFIXES: readonly (readonly [number, string])[] = [
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
  [1, ""],
  [1e-3, "m"],
  [1e-6, "µ"],
  [1e-9, "n"],
];

/** Three significant figures without exponent: 0.0123, 1.23, 12.3, 123, 1230 for 1234. */
export function significant(value: number, digits = 3): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const rounded = Number(value.toPrecision(digits));
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(rounded))));
  return rounded.toFixed(Math.min(decimals, 100));
}

/** A value with the SI prefix that leaves one to three digits before the point: `12.4 kJ`. */
export function withPrefix(value: number, unit: string): string {
  const { scale, prefix } = prefixOf(value);
  return `${significant(value / scale)} ${prefix}${unit}`;
}

function prefixOf(value: number): { scale: number; prefix: string } {
  // Rounded first: 999.9 J reads as 1.00 kJ, not as 1000 J.
  const size = Math.abs(Number(value.toPrecision(3)));
  if (size === 0) return { scale: 1, prefix: "" };
  const found = PREFIXES.find(([scale]) => size >= scale) ?? PREFIXES.at(-1);
  return { scale: found?.[0] ?? 1, prefix: found?.[1] ?? "" };
}

/** A duration as people say it: `350 ms`, `41.2 s`, `12 min 5 s`, `3 h 20 min`, `2 d 4 h`. */
export function formatDuration(seconds: number): string {
  if (Math.abs(seconds) < 60) return withPrefix(seconds, "s");
  const total = Math.round(seconds);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(total / 86_400), "d"],
    [Math.floor(total / 3600) % 24, "h"],
    [Math.floor(total / 60) % 60, "min"],
    [total % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

/** A value of a unit of ours, spelt for people. */
export function formatQuantity(value: number, unit: Unit): string {
  switch (unit) {
    case "s":
      return formatDuration(value);
    case "1":
      return significant(value);
    case "gCO2e/kWh":
    case "L/kWh":
    case "parameters":
    case "money":
    case "money/kWh":
    case "money/tCO2e":
      return `${value >= 1e4 ? withPrefix(value, "").trimEnd() : significant(value)} ${unit}`;
    case "gSbe":
      return withPrefix(value, unit);
    case "gCO2e":
      return value >= 1e6 ? `${significant(value / 1e6)} tCO2e` : withPrefix(value, unit);
    case "J":
    case "W":
    case "B":
    case "L":
    case "MAC":
    case "FLOP":
      return withPrefix(value, unit);
    default:
      return unit satisfies never;
  }
}

/** `12.4 kJ (11.9 to 12.9)`; the bounds share the value's prefix. Exact figures have no bounds. */
export function formatFigure(of: AnyFigure): string {
  const text = formatQuantity(of.value, of.unit);
  if (of.low === of.high) return text;
  if (of.unit === "s" && of.value >= 60) {
    return `${text} (${formatDuration(of.low)} to ${formatDuration(of.high)})`;
  }
  const tonnes = of.unit === "gCO2e" && of.value >= 1e6;
  const scale = tonnes ? 1e6 : prefixed(of.unit) ? prefixOf(of.value || of.high).scale : 1;
  return `${text} (${significant(of.low / scale)} to ${significant(of.high / scale)})`;
}

const UNPREFIXED: ReadonlySet<Unit> = new Set([
  "1",
  "gCO2e/kWh",
  "L/kWh",
  "parameters",
  "money",
  "money/kWh",
  "money/tCO2e",
]);

const prefixed = (unit: Unit): boolean => !UNPREFIXED.has(unit);
