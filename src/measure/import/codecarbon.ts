// CodeCarbon's `emissions.csv` as cards: energies in kWh, emissions in kg, whatever the version. A file
// whose numbers contradict these units is refused, for files are edited, converted and merged by hand.
//
// CodeCarbon states no uncertainty. Against wall meters its figures were up to 67 % too low (318 runs,
// data of arXiv 2509.22092), and almost twice those of other tools (Jay et al., CCGrid 2023): the
// interval spans both.

import type { Card, Component } from "../../core/card.ts";
import {
  exact,
  type Figure,
  figure,
  JOULES_PER_KILOWATT_HOUR,
  parseCsvTable,
  product,
  reasonOf,
  UserError,
  withError,
} from "../../core/index.ts";
import { type Imported, importedCard } from "./imported-card.ts";

const ERROR = { low: 1 / 2, high: 1 / (1 - 0.672) };

/** Relative standard deviation of an hour's intensity around a yearly mean: docs/methods/carbon.md. */
const INTENSITY_ERROR = 0.3;

/** gCO2e/kWh between the cleanest and the dirtiest grid, with room. */
const GRIDS = { lowest: 0.5, highest: 2000 };

export interface CodeCarbonOptions {
  /** Minutes that the machine's clock was ahead of UTC; its times have no zone. */
  readonly offset: number;
  readonly version: string;
}

type Row = Readonly<Record<string, string>>;

/**
 * A card for each run of the file; of rows that one run wrote while it went on, the last. Throws
 * UserError naming the row whose units cannot be right.
 */
export function importCodeCarbon(text: string, options: CodeCarbonOptions): readonly Card[] {
  const rows = rowsOf(text);
  const last = new Map<string, { readonly row: Row; readonly line: number }>();
  for (const [at, row] of rows.entries()) {
    last.set(row["run_id"] || row["experiment_id"] || `row-${at + 2}`, { row, line: at + 2 });
  }
  return [...last].map(([id, { row, line }]) => cardOf(id, row, { ...options, line }));
}

function rowsOf(text: string): readonly Row[] {
  const rows = table(text);
  const columns = Object.keys(rows[0] ?? {});
  const odd = columns.find((column) =>
    /^(emissions|\w*energy\w*)\W*[_ ([]+(g|kg|j|wh|kwh|mwh)\W*$/i.test(column),
  );
  if (odd !== undefined) throw ambiguous(`the column ${odd} is none of CodeCarbon's`);
  const missing = ["timestamp", "duration", "emissions", "energy_consumed"].filter(
    (column) => !columns.includes(column),
  );
  if (rows.length > 0 && missing.length === 0) return rows;
  const fault = rows.length === 0 ? "there is no row" : `there is no column ${missing.join(", ")}`;
  throw new UserError("invalid-input", `not a file of CodeCarbon: ${fault}`, {
    hint: "Give the emissions.csv that CodeCarbon wrote.",
  });
}

function table(text: string): readonly Row[] {
  try {
    return parseCsvTable(text);
  } catch (cause) {
    throw new UserError("invalid-input", `not a CSV file: ${reasonOf(cause)}`, {
      hint: "Rows of one run may have other columns after an update of CodeCarbon: split the file.",
      cause,
    });
  }
}

interface Context extends CodeCarbonOptions {
  readonly line: number;
}

function cardOf(id: string, row: Row, { offset, version, line }: Context): Card {
  const number = (column: string): number => numberOf(row, column, line);
  const seconds = number("duration");
  const kilowattHours = number("energy_consumed");
  const kilograms = number("emissions");
  requireUnits(row, { seconds, kilowattHours, kilograms, line });
  const ended =
    Date.parse(`${row["timestamp"]?.slice(0, 19).replace(" ", "T")}Z`) - offset * 60_000;
  const pue = number("pue") || 1;
  const source = sourceOf(row);
  const energy = energyFigure(kilowattHours, source);
  const isOfGodwit = /^godwit /.test(row["codecarbon_version"] ?? "");
  return importedCard({
    id: `codecarbon-${id}`,
    kind: "job",
    name: (row["project_name"] || "codecarbon").replace(/^'(?=[=+\-@\t\r])/, ""),
    tags: { imported: "codecarbon" },
    from: ended - seconds * 1000,
    seconds,
    clock: `CodeCarbon's ${source}`,
    energy: kilowattHours === 0 ? null : energy,
    ...emissionsOf(row, energy, { kilowattHours, kilograms }),
    scope: pue === 1 ? "component" : "facility",
    pue: exact("1", pue, { method: "declared", source }),
    components: componentsOf(row, number, source),
    notices: [
      "imported from CodeCarbon, which states no uncertainty: the interval is what studies found",
      ...(kilowattHours === 0 ? ["CodeCarbon counted no energy: unknown, not zero"] : []),
      ...(isOfGodwit ? ["the file was written by godwit; its card in the ledger knows more"] : []),
    ],
    machine: {
      platform: (row["os"] ?? "").split("-")[0]?.toLowerCase() || "unknown",
      cpu: {
        name: row["cpu_model"] || "unknown",
        threads: Math.max(1, Math.round(number("cpu_count"))),
      },
      memoryBytes: number("ram_total_size") * 2 ** 30,
      gpus: (row["gpu_model"] ?? "") === "" ? [] : [{ name: row["gpu_model"] ?? "" }],
    },
    version,
  });
}

const sourceOf = (row: Row): string =>
  `CodeCarbon ${row["codecarbon_version"] || "of unknown version"}, ${row["tracking_mode"] || "unknown"} mode`;

function energyFigure(kilowattHours: number, source: string): Figure<"J"> {
  const value = kilowattHours * JOULES_PER_KILOWATT_HOUR;
  const bounds = { low: value * ERROR.low, high: value * ERROR.high };
  return figure("J", value, bounds, { method: "declared", source });
}

/** Emissions and the intensity that they were computed with; its accounting is CodeCarbon's own. */
function emissionsOf(
  row: Row,
  energy: Figure<"J">,
  { kilowattHours, kilograms }: { readonly kilowattHours: number; readonly kilograms: number },
): Pick<Imported, "emissions" | "signal"> {
  if (kilowattHours === 0 || kilograms === 0) return {};
  const zone = row["country_iso_code"] || "unknown";
  const source = `CodeCarbon, ${row["region"] || row["country_name"] || "unknown place"}`;
  const intensity = withError("gCO2e/kWh", (kilograms * 1000) / kilowattHours, INTENSITY_ERROR, {
    method: "declared",
    source,
  });
  return {
    emissions: product("gCO2e", [energy, intensity], {
      source: energy.source,
      scale: 1 / JOULES_PER_KILOWATT_HOUR,
    }),
    signal: {
      intensity,
      kind: "average",
      basis: "location",
      scope: "unknown",
      zone,
      rung: `${source}, as CodeCarbon found it`,
    },
  };
}

const DOMAINS = [
  ["cpu", "cpu"],
  ["gpu", "gpu"],
  ["ram", "memory"],
] as const;

function componentsOf(row: Row, number: (column: string) => number, source: string): Component[] {
  return DOMAINS.flatMap(([name, domain]) => {
    const energy = number(`${name}_energy`);
    if ((row[`${name}_energy`] ?? "") === "" || energy === 0) return [];
    return [
      { domain, device: domain, provider: "codecarbon", energy: energyFigure(energy, source) },
    ];
  });
}

function numberOf(row: Row, column: string, line: number): number {
  const value = Number(row[column] || 0);
  if (Number.isFinite(value) && (value >= 0 || /itude/.test(column))) return value;
  throw new UserError("invalid-input", `row ${line}: ${column} is "${row[column]}"`, {
    hint: "Give the emissions.csv that CodeCarbon wrote.",
  });
}

/** Units prove themselves: parts add up to the whole, power times time is energy, no grid is unreal. */
function requireUnits(
  row: Row,
  given: {
    readonly seconds: number;
    readonly kilowattHours: number;
    readonly kilograms: number;
    readonly line: number;
  },
): void {
  const { seconds, kilowattHours, kilograms, line } = given;
  const grams = (kilograms * 1000) / kilowattHours;
  if (kilowattHours > 0 && kilograms > 0 && (grams < GRIDS.lowest || grams > GRIDS.highest)) {
    throw ambiguous(
      `row ${line}: ${kilograms} kg for ${kilowattHours} kWh would be ${Number(grams.toPrecision(3))} gCO2e/kWh`,
    );
  }
  const of = (suffix: string) =>
    ["cpu", "gpu", "ram"].reduce((sum, name) => sum + numberOf(row, `${name}_${suffix}`, line), 0);
  const parts = of("energy") * (Number(row["pue"]) || 1);
  if (parts > 0 && kilowattHours > 0 && !within(parts / kilowattHours, 10)) {
    throw ambiguous(`row ${line}: the parts are ${parts} kWh, the whole ${kilowattHours} kWh`);
  }
  const byPower = (of("power") * seconds) / JOULES_PER_KILOWATT_HOUR;
  // Powers are momentary in some versions, so only a wrong unit is beyond this.
  if (byPower > 0 && kilowattHours > 0 && seconds > 60 && !within(byPower / kilowattHours, 300)) {
    throw ambiguous(`row ${line}: powers and time come to ${byPower} kWh, not ${kilowattHours}`);
  }
}

const within = (ratio: number, factor: number): boolean => ratio < factor && ratio > 1 / factor;

const ambiguous = (what: string): UserError =>
  new UserError("invalid-input", `the units are not CodeCarbon's: ${what}`, {
    hint: "CodeCarbon writes kg of CO2e and kWh; give its file unchanged.",
  });
