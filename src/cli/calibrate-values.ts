// The lists of numbers that `godwit calibrate` takes.

import { UserError } from "../core/errors.ts";

/** `62,78,95.5`: watts above zero. */
export function parseReadings(option: string, text: string): readonly number[] {
  const values = numbersOf(text);
  if (values.every((watts) => watts > 0 && Number.isFinite(watts))) return values;
  throw new UserError("usage", `${option}: cannot read "${text}"`, {
    hint: "Give watts with commas between them, such as 62,78,95,110,121.",
  });
}

/** `0,25,50,75,100`: percent of all processors, rising; as shares. */
export function parseSteps(option: string, text: string): readonly number[] {
  const values = numbersOf(text);
  const isRising = values.every((value, i) => i === 0 || value > (values[i - 1] ?? value));
  if (isRising && values.every((value) => value >= 0 && value <= 100)) {
    return values.map((value) => value / 100);
  }
  throw new UserError("usage", `${option}: cannot read "${text}"`, {
    hint: "Give rising percentages from 0 to 100, such as 0,25,50,75,100.",
  });
}

const numbersOf = (text: string): readonly number[] =>
  text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part.replace("%", ""))));
