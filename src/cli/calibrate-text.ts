// A calibration as lines for people.

import { type Figure, significant } from "../core/index.ts";
import type { CalibrationStep, Profile } from "../measure/calibrate/index.ts";

/** One step, as it ends. */
export function describeStep(
  { asked, utilisation, wall, components, settled }: CalibrationStep,
  { index, count }: { readonly index: number; readonly count: number },
): string {
  const parts = [
    `${String(index + 1).padStart(2)}/${count}`,
    `${percent(asked).padStart(6)} asked`,
    `${percent(utilisation).padStart(6)} busy`,
    `${wall.toFixed(1).padStart(7)} W`,
    ...(components === null ? [] : [`components ${components.toFixed(1).padStart(6)} W`]),
    ...(settled ? [] : ["not steady"]),
  ];
  return `${parts.join("  ")}\n`;
}

/** What is stored of a machine. */
export function describeProfile({
  calibratedAt,
  truth,
  residual,
  supply,
  curve,
  notices,
}: Profile): string {
  const lines = [
    `calibrated ${calibratedAt.slice(0, 10)} against ${truth.label}`,
    ...(supply === null ? [] : [`supply     ${describeSupply(supply)}`]),
    ...(curve === null ? [] : [`load curve ${describeCurve(curve)}`]),
    `residual   ${share(residual.mean)} mean, ${share(residual.max)} largest`,
    ...notices.map((notice) => `notice     ${notice}`),
  ];
  return `${lines.join("\n")}\n`;
}

function describeSupply({ factor, base }: NonNullable<Profile["supply"]>): string {
  const efficiency = `${percent(1 / factor.value)} efficient (${percent(1 / factor.high)} to ${percent(1 / factor.low)})`;
  return `${efficiency}, base ${range(base)}`;
}

const describeCurve = ({ idle, full, shape }: NonNullable<Profile["curve"]>): string =>
  `idle ${range(idle)}, full ${range(full)}, shape ${shape.value.toFixed(2)}`;

const range = ({ value, low, high }: Figure<"W">): string =>
  `${significant(value)} W (${significant(low)} to ${significant(high)})`;

const percent = (part: number): string => `${Number((part * 100).toFixed(1))} %`;
const share = (part: number): string => `${(part * 100).toFixed(1)} %`;
