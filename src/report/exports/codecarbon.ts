// Runs as a file of CodeCarbon's CSV output, for tools that read `emissions.csv`. Its units are kg,
// kWh, W, s and kg/s; columns and order are those of CodeCarbon 2.8 and 3.0
// (mlco2/codecarbon, output_methods/emissions_data.py), and nothing more, so that its files can follow.
// Intervals, methods and sources have no column there and are lost: `--csv` and `--json` keep them.

import type { Card } from "../../core/card.ts";
import { csvField } from "../../core/csv.ts";
import { JOULES_PER_KILOWATT_HOUR } from "../../core/index.ts";
import { headlineEnergy } from "../headline.ts";

/** Columns in CodeCarbon's order. */
export const CODECARBON_COLUMNS = [
  "timestamp",
  "project_name",
  "run_id",
  "experiment_id",
  "duration",
  "emissions",
  "emissions_rate",
  "cpu_power",
  "gpu_power",
  "ram_power",
  "cpu_energy",
  "gpu_energy",
  "ram_energy",
  "energy_consumed",
  "country_name",
  "country_iso_code",
  "region",
  "cloud_provider",
  "cloud_region",
  "os",
  "python_version",
  "codecarbon_version",
  "cpu_count",
  "cpu_model",
  "gpu_count",
  "gpu_model",
  "longitude",
  "latitude",
  "ram_total_size",
  "tracking_mode",
  "on_cloud",
  "pue",
] as const;

type Column = (typeof CODECARBON_COLUMNS)[number];

/** Three-letter code of a country, ISO 3166-1, by its two-letter one. */
export type Alpha3 = (alpha2: string) => string | undefined;

/** A row a run that has energy; `skipped` are the ids of those that have none. */
export function renderCodeCarbon(
  cards: readonly Card[],
  alpha3: Alpha3,
): {
  readonly text: string;
  readonly skipped: readonly string[];
} {
  const known = cards.filter((card) => headlineEnergy(card) !== null);
  const rows = known.map((card) => {
    const cells = cellsOf(card, alpha3);
    return CODECARBON_COLUMNS.map((column) => csvField(inert(cells[column] ?? ""))).join(",");
  });
  return {
    text: `${[CODECARBON_COLUMNS.join(","), ...rows].join("\n")}\n`,
    skipped: cards.filter((card) => headlineEnergy(card) === null).map(({ id }) => id),
  };
}

/** Unknown is an empty field, never a zero. */
function cellsOf(card: Card, alpha3: Alpha3): Partial<Record<Column, string | number>> {
  const { measures, machine, signal, boundary, subject } = card;
  const energy = headlineEnergy(card)?.figure.value ?? Number.NaN;
  const { duration, emissions } = measures;
  const kilograms = emissions === undefined ? undefined : emissions.value / 1000;
  const place = placeOf(signal?.zone, alpha3);
  return {
    // Local time without a zone in CodeCarbon; here it is UTC. It is the end of the run.
    timestamp: card.endedAt.replace(/(?:\.\d+)?Z$/, ""),
    project_name: subject.name,
    run_id: card.id,
    duration: duration.value,
    ...(kilograms === undefined ? {} : { emissions: kilograms }),
    ...(kilograms === undefined || duration.value === 0
      ? {}
      : { emissions_rate: kilograms / duration.value }),
    ...domainCells(card, "cpu", "cpu"),
    ...domainCells(card, "gpu", "gpu"),
    ...domainCells(card, "memory", "ram"),
    energy_consumed: energy / JOULES_PER_KILOWATT_HOUR,
    ...place,
    os: `${machine.platform}-${machine.release}`,
    codecarbon_version: `godwit ${card.godwit.version}`,
    cpu_count: machine.cpu.threads,
    cpu_model: machine.cpu.name,
    gpu_count: machine.gpus.length,
    gpu_model: machine.gpus.map(({ name }) => name).join(", "),
    ram_total_size: machine.memoryBytes / 2 ** 30,
    tracking_mode: boundary.headline === "gross" ? "machine" : "process",
    ...(boundary.pue === undefined ? {} : { pue: boundary.pue.value }),
  };
}

/** Energy (the subject's where it is known) and power of a domain's devices. */
function domainCells(card: Card, domain: string, name: "cpu" | "gpu" | "ram"): object {
  const own = card.components.filter((component) => component.domain === domain);
  if (own.length === 0) return {};
  const isGross = card.boundary.headline === "gross";
  const energy = own.reduce(
    (sum, component) =>
      sum + ((isGross ? undefined : component.attributed) ?? component.energy).value,
    0,
  );
  const seconds = card.measures.duration.value;
  return {
    [`${name}_energy`]: energy / JOULES_PER_KILOWATT_HOUR,
    ...(seconds === 0 ? {} : { [`${name}_power`]: energy / seconds }),
  };
}

/** A zone of ISO 3166: two letters, with or without a subdivision. Others are left out. */
function placeOf(zone: string | undefined, alpha3: Alpha3): object {
  const [, country, region] = /^([A-Z]{2})(?:-(.+))?$/.exec(zone ?? "") ?? [];
  if (country === undefined) return {};
  const name = new Intl.DisplayNames(["en"], { type: "region" }).of(country) ?? country;
  return { country_name: name, country_iso_code: alpha3(country) ?? "", region: region ?? "" };
}

/** A text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP). */
function inert(field: string | number): string {
  return typeof field === "string" && /^[=+\-@\t\r]/.test(field) ? `'${field}` : String(field);
}
