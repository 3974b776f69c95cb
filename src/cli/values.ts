// Values with units, as people type them. A value that cannot be read is refused with an example of
// one that can.

import { UserError } from "../core/errors.ts";
import {
  JOULES_PER_KILOWATT_HOUR,
  type Joules,
  joules,
  type Seconds,
  seconds,
  type Watts,
  watts,
} from "../core/quantity.ts";
import { HIGHEST_INTENSITY } from "../measure/carbon/intensity-limits.ts";

const SECONDS_IN: Readonly<Record<string, number>> = {
  "": 1,
  ms: 0.001,
  s: 1,
  min: 60,
  m: 60,
  h: 3600,
  d: 86_400,
};

const JOULES_IN: Readonly<Record<string, number>> = {
  J: 1,
  kJ: 1e3,
  MJ: 1e6,
  GJ: 1e9,
  mWh: 3.6,
  Wh: 3600,
  kWh: JOULES_PER_KILOWATT_HOUR,
  MWh: 1000 * JOULES_PER_KILOWATT_HOUR,
};

const WATTS_IN: Readonly<Record<string, number>> = { mW: 1e-3, W: 1, kW: 1e3, MW: 1e6 };

/** A number and what follows it, or null. */
function split(text: string): { readonly value: number; readonly unit: string } | null {
  const match = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$/.exec(text);
  if (match === null) return null;
  return { value: Number(match[1]), unit: match[2] ?? "" };
}

function invalid(option: string, text: string, hint: string): UserError {
  return new UserError("usage", `${option}: cannot read "${text}"`, { hint });
}

/** `3s`, `500ms`, `2min`, `1h`; a bare number is seconds. Positive. */
export function parseDuration(option: string, text: string): Seconds {
  const parts = split(text);
  const scale = parts === null ? undefined : SECONDS_IN[parts.unit];
  if (parts === null || scale === undefined || !(parts.value > 0)) {
    throw invalid(option, text, "Give a duration above zero, such as 500ms, 3s, 2min or 1h.");
  }
  return seconds(parts.value * scale);
}

/** `2kWh`, `10 MJ`. The unit is required, and its capitals count: mJ is not MJ. Positive. */
export function parseEnergy(option: string, text: string): Joules {
  const parts = split(text);
  const scale = parts === null ? undefined : JOULES_IN[parts.unit];
  if (parts === null || scale === undefined || !(parts.value > 0)) {
    throw invalid(option, text, "Give an energy with its unit, such as 500Wh, 2kWh or 10MJ.");
  }
  return joules(parts.value * scale);
}

/** `300W`, `1.2 kW`. The unit is required, and its capitals count: mW is not MW. Positive. */
export function parsePower(option: string, text: string): Watts {
  const parts = split(text);
  const scale = parts === null ? undefined : WATTS_IN[parts.unit];
  if (parts === null || scale === undefined || !(parts.value > 0)) {
    throw invalid(option, text, "Give a power above zero with its unit, such as 300W or 1.2kW.");
  }
  return watts(parts.value * scale);
}

/** `5%` or `0.05`: a share from 0 to 1. */
export function parseShare(option: string, text: string): number {
  const parts = split(text);
  const share = parts?.unit === "%" ? parts.value / 100 : parts?.unit === "" ? parts.value : NaN;
  if (!(share >= 0 && share <= 1)) throw invalid(option, text, "Give a share such as 5% or 0.05.");
  return share;
}

/** Carbon intensity in grams per kWh; `380`, `380g`, `380 gCO2e/kWh`. Its size is judged later. */
export function parseIntensity(option: string, text: string): number {
  const parts = split(text);
  const [, prefix, rest] = /^(k|m|t)?(g(?:CO2e?(?:q)?)?(?:\/kWh)?)$/i.exec(parts?.unit ?? "") ?? [];
  if (parts !== null && prefix?.toLowerCase() === "k" && rest !== undefined) {
    const grams = Number((parts.value * 1000).toPrecision(12));
    throw new UserError("invalid-input", `${option}: ${text} is in kilograms`, {
      hint:
        grams > HIGHEST_INTENSITY
          ? `No grid emits ${grams.toLocaleString("en")} g per kWh. Give grams: ${parts.value}, if those are meant.`
          : `Give grams per kWh: ${grams}.`,
    });
  }
  if (parts === null || (parts.unit !== "" && (rest === undefined || prefix !== undefined))) {
    throw invalid(option, text, "Give grams of CO2e per kWh, such as 380.");
  }
  return parts.value;
}

/** A plain number, such as a PUE. */
export function parseNumber(option: string, text: string): number {
  const parts = split(text);
  if (parts === null || parts.unit !== "") throw invalid(option, text, "Give a number.");
  return parts.value;
}

/** A plain number above zero, such as a learning rate. */
export function parsePositive(option: string, text: string): number {
  const value = parseNumber(option, text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw invalid(option, text, "Give a number above zero.");
}

/** `0.30EUR/kWh`, `80 EUR/t`: an amount above zero, a currency (ISO 4217) and what it is for. */
export function parsePrice(
  option: string,
  text: string,
  per: "kWh" | "t",
): { readonly currency: string; readonly amount: number } {
  const parts = split(text);
  const [, currency, unit] = /^([A-Z]{3})\s*\/\s*(\w+)$/.exec(parts?.unit ?? "") ?? [];
  if (parts === null || currency === undefined || unit !== per || !(parts.value >= 0)) {
    const example = per === "kWh" ? "0.30EUR/kWh" : "80EUR/t";
    throw invalid(option, text, `Give an amount, a currency and "/${per}", such as ${example}.`);
  }
  return { currency, amount: parts.value };
}

const KILOGRAMS_IN: Readonly<Record<string, number>> = { kg: 1, t: 1000 };

/** `1300kg`, `1.3t`: a mass of CO2e above zero in kilograms; the unit is required. */
export function parseMass(option: string, text: string): number {
  const parts = split(text);
  const scale = parts === null ? undefined : KILOGRAMS_IN[parts.unit.replace(/\s*CO2e?$/, "")];
  if (parts === null || scale === undefined || !(parts.value > 0)) {
    throw invalid(option, text, "Give kilograms or tonnes of CO2e, such as 1300kg or 1.3t.");
  }
  return parts.value * scale;
}

/** A whole number of at least `least`. */
export function parseCount(option: string, text: string, least: number): number {
  const count = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(count) || count < least) {
    throw invalid(option, text, `Give a whole number, ${least} or more.`);
  }
  return count;
}

/** `key=value`, collected. */
export function parseTag(
  option: string,
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at < 1) throw invalid(option, text, "Give a tag as key=value, such as --tag model=resnet.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
