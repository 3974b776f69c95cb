// Values of `godwit estimate`, as people type them: hours, shares, sizes, GPUs, large numbers.

import { UserError } from "../core/errors.ts";
import { parseCount, parseDuration } from "./values.ts";

function invalid(option: string, text: string, hint: string): UserError {
  return new UserError("usage", `${option}: cannot read "${text}"`, { hint });
}

/** `12` is hours; `90min`, `2d` as everywhere. Above zero. */
export function parseHours(option: string, text: string): number {
  const bare = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text);
  const hours = bare ? Number(text) : parseDuration(option, text) / 3600;
  if (hours > 0 && Number.isFinite(hours)) return hours;
  throw new UserError("invalid-input", `${option}: ${text} hours cannot be right`, {
    hint: "Give how long it runs, such as 12, 90min or 2d.",
  });
}

/** `0.7` or `70%`: from 0 to 1. */
export function parseShare(option: string, text: string): number {
  const match = /^\s*(\d+\.?\d*|\.\d+)\s*(%?)\s*$/.exec(text);
  const share = match === null ? Number.NaN : Number(match[1]) / (match[2] === "%" ? 100 : 1);
  if (share >= 0 && share <= 1) return share;
  throw invalid(option, text, "Give a share from 0 to 1, or a percentage, such as 0.7 or 70%.");
}

const GIGABYTES_IN: Readonly<Record<string, number>> = {
  "": 1,
  MB: 1e-3,
  GB: 1,
  TB: 1e3,
  MiB: 2 ** 20 / 1e9,
  GiB: 2 ** 30 / 1e9,
  TiB: 2 ** 40 / 1e9,
};

/** `64`, `64GB`, `512GiB`, `1.5TB`: gigabytes of 10^9 bytes. Above zero. */
export function parseGigabytes(option: string, text: string): number {
  const match = /^\s*(\d+\.?\d*|\.\d+)\s*([MGT]i?B)?\s*$/.exec(text);
  const size = Number(match?.[1]) * (GIGABYTES_IN[match?.[2] ?? ""] ?? Number.NaN);
  if (match !== null && size > 0) return size;
  throw invalid(option, text, "Give a size above zero, such as 64, 64GB, 512GiB or 1.5TB.");
}

/** Watts, such as `205` or `205W`. Above zero. */
export function parseWatts(option: string, text: string): number {
  const match = /^\s*(\d+\.?\d*|\.\d+)\s*(k?)W?\s*$/.exec(text);
  const watts = Number(match?.[1]) * (match?.[2] === "k" ? 1000 : 1);
  if (match !== null && watts > 0) return watts;
  throw invalid(option, text, "Give watts above zero, such as 205, 205W or 1.2kW.");
}

const MULTIPLES: Readonly<Record<string, number>> = {
  "": 1,
  K: 1e3,
  M: 1e6,
  B: 1e9,
  G: 1e9,
  T: 1e12,
  P: 1e15,
};

/** `175B`, `1.5T`, `300e9`: a large number. Above zero. */
export function parseLarge(option: string, text: string): number {
  const match = /^\s*((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([KMBGTP]?)\s*$/i.exec(text);
  const value = Number(match?.[1]) * (MULTIPLES[(match?.[2] ?? "").toUpperCase()] ?? Number.NaN);
  if (match !== null && value > 0) return value;
  throw invalid(option, text, "Give a number above zero, such as 175B, 1.5T or 300e9.");
}

/** A GPU of the command line: how many, which, and its board power where it was given. */
export interface GpuChoice {
  readonly count: number;
  readonly name: string;
  readonly watts: number | null;
}

/** `A100 SXM4 40GB`, `8xH100 80GB HBM3`, `2x Own Board:350`. */
export function parseGpu(option: string, text: string): GpuChoice {
  const match = /^\s*(?:(\d+)\s*x\s*)?(.*?)(?::([^:]*))?\s*$/i.exec(text);
  const name = match?.[2]?.trim() ?? "";
  if (match === null || name === "") {
    throw invalid(option, text, 'Give [COUNTx]NAME[:WATTS], such as "8xH100 80GB HBM3".');
  }
  return {
    count: match[1] === undefined ? 1 : parseCount(option, match[1], 1),
    name,
    watts: match[3] === undefined ? null : parseWatts(option, match[3]),
  };
}

/** `gcp/europe-west9`: provider and region, in lower case. */
export function parseCloud(option: string, text: string) {
  const [provider, region, ...rest] = text.trim().toLowerCase().split("/");
  if (provider && region && rest.length === 0) return { provider, region };
  throw invalid(option, text, "Give PROVIDER/REGION, such as gcp/europe-west9 or aws/us-east-1.");
}
