// Signals from text: CSV with a time column and one column of intensities, or JSON. Steps must be even.
// A hole is an error that names it, never a zero; a finer stretch within a coarser series is thinned
// to the coarser step.

import { z } from "zod";
import { once, parseCsvTable, UserError } from "../../core/index.ts";
import { type Signal, type SignalBasis, type SignalKind, signal } from "./signal.ts";

/** What a file does not say about its numbers. */
export interface SignalMeaning<K extends SignalKind, B extends SignalBasis> {
  readonly zone: string;
  readonly kind: K;
  readonly basis: B;
  readonly source: string;
}

/** Columns of a CSV file and the step to read it in; the step is that of the first two rows else. */
export interface CsvColumns {
  readonly time: string;
  readonly value: string;
  readonly step?: number;
}

/** A record of the past from CSV. Times without a zone are read as UTC. */
export function signalFromCsv<K extends SignalKind, B extends SignalBasis>(
  text: string,
  meaning: SignalMeaning<K, B>,
  columns: CsvColumns = { time: "time", value: "gco2e_per_kwh" },
): Signal<K, B> {
  const rows = parseCsvTable(text);
  const [head] = rows;
  for (const name of [columns.time, columns.value])
    if (head?.[name] === undefined)
      throw invalid(meaning.zone, `no column ${name}`, `It has ${Object.keys(head ?? {})}.`);
  const points = rows.map((row, at) => ({
    at: instant(row[columns.time] ?? "", meaning.zone, at + 2),
    value: number(row[columns.value] ?? "", meaning.zone, at + 2),
  }));
  return fromPoints(points, meaning, columns.step);
}

interface Point {
  readonly at: number;
  readonly value: number;
}

function fromPoints<K extends SignalKind, B extends SignalBasis>(
  points: readonly Point[],
  meaning: SignalMeaning<K, B>,
  wanted: number | undefined,
): Signal<K, B> {
  const [first, second] = points;
  const step = wanted ?? (second?.at ?? NaN) - (first?.at ?? NaN);
  if (first === undefined || !(step > 0))
    throw invalid(meaning.zone, "fewer than two ascending rows", "Give at least two steps.");
  const values: number[] = [];
  for (const { at, value } of points) {
    const due = first.at + values.length * step;
    if (at < due) continue;
    if (at > due) {
      const hole = new Date(due * 1000).toISOString();
      throw invalid(meaning.zone, `no value at ${hole}`, "Fill the hole, or cut the file there.");
    }
    values.push(value);
  }
  const issuedAt = first.at + values.length * step;
  return signal({ ...meaning, start: first.at, step, values, issuedAt });
}

function instant(text: string, zone: string, row: number): number {
  const iso = text.trim().replace(" ", "T");
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`;
  const at = Date.parse(zoned) / 1000;
  if (Number.isNaN(at)) throw invalid(zone, `"${text}" in row ${row} is no time`, "Use ISO 8601.");
  return at;
}

function number(text: string, zone: string, row: number): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(value))
    throw invalid(zone, `"${text}" in row ${row} is no number`, "Use gCO2e/kWh.");
  return value;
}

function invalid(zone: string, fault: string, hint: string): UserError {
  return new UserError("invalid-input", `cannot read the signal of ${zone}: ${fault}`, { hint });
}

const fileSchema = once(() => {
  const numbers = z.array(z.number());
  const file = z.object({
    schema: z.literal("godwit.signal/1"),
    zone: z.string().min(1),
    kind: z.enum(["average", "marginal"]),
    basis: z.enum(["location", "market"]),
    issued_at: z.iso.datetime({ offset: true }),
    start: z.iso.datetime({ offset: true }),
    step_s: z.number().positive(),
    values_gco2e_per_kwh: numbers.min(1),
    quantiles: z.array(z.object({ p: z.number(), values_gco2e_per_kwh: numbers })).optional(),
    source: z.string().min(1),
  });
  return z.union([file, z.array(file).min(1)]);
});

/** Signals of a JSON file: one object or a list of them, such as an archive of forecasts. */
export function signalsFromJson(text: string): readonly Signal[] {
  const parsed = fileSchema().safeParse(jsonOf(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError("invalid-input", `not a signal file: ${issue?.message ?? "unreadable"}`, {
      hint: 'It must hold objects of schema "godwit.signal/1" (docs/methods/scheduling.md).',
      cause: parsed.error,
    });
  }
  return [parsed.data].flat().map(({ quantiles, ...one }) =>
    signal({
      zone: one.zone,
      kind: one.kind,
      basis: one.basis,
      issuedAt: Date.parse(one.issued_at) / 1000,
      start: Date.parse(one.start) / 1000,
      step: one.step_s,
      values: one.values_gco2e_per_kwh,
      source: one.source,
      ...(quantiles === undefined
        ? {}
        : {
            quantiles: quantiles.map(({ p, values_gco2e_per_kwh }) => ({
              p,
              values: Float64Array.from(values_gco2e_per_kwh),
            })),
          }),
    }),
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError("invalid-input", "not a signal file: it is not JSON", {
      hint: 'It must hold objects of schema "godwit.signal/1".',
      cause,
    });
  }
}
