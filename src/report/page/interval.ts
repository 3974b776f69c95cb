// A 90 % interval in words.

import { type AnyFigure, formatFigure } from "../../core/index.ts";

/** `11.9 to 12.9`, in the unit and prefix of the value; empty for an exact figure. */
export function intervalText(of: AnyFigure): string {
  return /\((.*)\)$/.exec(formatFigure(of))?.[1] ?? "";
}
