// Shrinked convolution: the width multiplier alpha and the resolution multiplier rho of MobileNets
// (Howard et al. 2017, sections 3.3 and 3.4), for any network that is built from these layers.

import { UserError } from "../../core/index.ts";

/** How many channels the layers of a network keep. */
export interface Width {
  /** Factor on the channels of every layer but the last. */
  readonly alpha: number;
  /** Channels come in multiples of this. */
  readonly divisor: number;
}

export const FULL_WIDTH: Width = { alpha: 1, divisor: 1 };

/**
 * Channels after shrinking: the nearest multiple of the divisor that is not more than a tenth below
 * alpha times the channels (the rule of the authors' MobileNetV2 code, `_make_divisible`).
 */
export function shrunk(channels: number, { alpha, divisor }: Width): number {
  if (alpha === 1) return channels;
  const exact = alpha * channels;
  const near = Math.max(divisor, Math.floor(exact / divisor + 0.5) * divisor);
  return near < 0.9 * exact ? near + divisor : near;
}

/** A width, checked. Throws UserError. */
export function widthOf(alpha: number, divisor = 1): Width {
  if (alpha > 0 && Number.isFinite(alpha)) return { alpha, divisor };
  throw new UserError("usage", `a width multiplier of ${alpha}`, {
    hint: "Give a positive number such as 0.25, 0.5, 0.75 or 1.",
  });
}

/** Pixels a side of an image after shrinking. Throws UserError. */
export function shrunkSize(size: number, rho: number): number {
  const shrunk = Math.round(rho * size);
  if (rho > 0 && Number.isFinite(rho) && shrunk >= 1) return shrunk;
  throw new UserError("usage", `a resolution multiplier of ${rho} for ${size} pixels`, {
    hint: "Give a positive number that leaves at least one pixel; 192/224 is 0.857.",
  });
}
