// A series of one's own: CSV or JSON, from a file or an address. The unit stands in the column's name;
// kind, basis and scope stand in columns or fields of those names, or the caller states them.
//
//   CSV:  start,end,gco2e_per_kwh           (end may be left out: then until the next start)
//   JSON: [{ "start": "2026-01-31T12:00Z", "gco2e_per_kwh": 210 }, ...], or
//         { "kind": "marginal", "data": [...] }, as `godwit intensity --json` writes it

import { z } from "zod";
import { type Host, once, parseCsvTable, reasonOf, UserError } from "../../../core/index.ts";
import type { Accounting } from "../intensity.ts";
import { createSeries, type IntensityPoint } from "../series.ts";
import type { Client } from "./client.ts";
import { fileAccounting } from "./file-accounting.ts";
import { DAY, type IntensityProvider, instantOf, MINUTE, parseBody } from "./provider.ts";

export interface FileOrUrlOptions {
  readonly client: Client;
  /** Path of a file, or an address that begins with http:// or https://. */
  readonly target: string;
  /** What the caller says of the values; a file that says otherwise is refused. */
  readonly accounting: Partial<Accounting>;
}

/** What a column of values may be called: the unit is part of each name. */
const VALUE_COLUMNS = ["gco2e_per_kwh", "gco2_per_kwh", "g_per_kwh"] as const;
const START_COLUMNS = ["start", "utc", "datetime", "time"] as const;

const body = once(() => {
  const rows = z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()])));
  return z.union([rows, z.looseObject({ data: rows })]);
});

/** The whole file is one zone; `want` is "history" or "forecast" as the file itself says nothing. */
export const fileOrUrl = (
  host: Host,
  { client, target, accounting }: FileOrUrlOptions,
): IntensityProvider => ({
  name: target,
  async fetch({ zone, want, from, to }) {
    const answer = /^https?:\/\//.test(target)
      ? await client.get({ service: target, url: target, freshFor: 15 * MINUTE, usableFor: DAY })
      : { body: await readFile(host, target), retrievedAt: host.wall(), notices: [] };
    const { told, table } = tableOf(target, answer.body);
    const all = pointsOf(target, table);
    const points = all.filter(
      ({ start, end }) => end > (from ?? -Infinity) && start < (to ?? Infinity),
    );
    const now = host.wall();
    const kept =
      want === "latest" ? points.filter(({ start, end }) => start <= now && now < end) : points;
    const series = createSeries({
      ...fileAccounting(target, [told, ...table], accounting),
      zone,
      source: target,
      points: kept,
    });
    return { series, retrievedAt: answer.retrievedAt, notices: answer.notices };
  },
});

async function readFile(host: Host, path: string): Promise<string> {
  try {
    return await host.readText(path);
  } catch (cause) {
    throw new UserError("invalid-input", `cannot read ${path}: ${reasonOf(cause)}`, {
      hint: "Check the path and its permissions.",
      cause,
    });
  }
}

function pointsOf(target: string, table: readonly Row[]): readonly IntensityPoint[] {
  const value = columnOf(target, table, VALUE_COLUMNS);
  const start = columnOf(target, table, START_COLUMNS);
  const read = table
    .filter((row) => row[value] !== null && row[value] !== "")
    .map((row, at) => ({
      start: instantOf(target, String(row[start] ?? "")),
      end: row["end"] ? instantOf(target, String(row["end"])) : null,
      value: numberOf(target, row[value], at),
    }))
    .sort((a, b) => a.start - b.start);
  if (read.length === 1 && read[0]?.end === null) {
    throw new UserError("invalid-input", `${target} does not say how long its one value holds`, {
      hint: "Add a column end.",
    });
  }
  // Without an end a value holds until the next one; the last as long as the one before it.
  return read.map((point, at) => {
    const next = read[at + 1]?.start ?? point.start + (point.start - (read[at - 1]?.start ?? 0));
    return { ...point, end: point.end ?? next };
  });
}

type Row = Readonly<Record<string, string | number | null>>;

/** The rows, and what the file says of all of them. */
function tableOf(
  target: string,
  text: string,
): { readonly told: Readonly<Record<string, unknown>>; readonly table: readonly Row[] } {
  if (!/^\s*[[{]/.test(text)) return { told: {}, table: csvRows(target, text) };
  const parsed = parseBody(target, text, body());
  return Array.isArray(parsed) ? { told: {}, table: parsed } : { told: parsed, table: parsed.data };
}

function csvRows(target: string, text: string): readonly Row[] {
  try {
    return parseCsvTable(text);
  } catch (cause) {
    throw new UserError("invalid-input", `${target} is no CSV: ${reasonOf(cause)}`, {
      hint: FORMAT,
      cause,
    });
  }
}

const FORMAT =
  "The first line is start,gco2e_per_kwh (or start,end,gco2e_per_kwh); times are 2026-01-31T12:00Z.";

function columnOf(target: string, table: readonly Row[], names: readonly string[]): string {
  const [first = {}] = table;
  const found = names.find((name) => name in first);
  if (found !== undefined) return found;
  const columns = Object.keys(first).join(", ").slice(0, 200) || "none";
  throw new UserError(
    "invalid-input",
    `${target} has no column ${names.join(" or ")}; it has ${columns}`,
    { hint: FORMAT },
  );
}

function numberOf(target: string, value: string | number | null | undefined, at: number): number {
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number === "number" && Number.isFinite(number)) return number;
  const shown = String(value).slice(0, 40);
  throw new UserError("invalid-input", `${target}: "${shown}" in row ${at + 1} is no number`, {
    hint: FORMAT,
  });
}
