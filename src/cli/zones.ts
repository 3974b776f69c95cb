// `godwit zones`: the places whose carbon intensity is known, to be given to --location.

import { Command, Option } from "@commander-js/extra-typings";
import { formatQuantity, significant } from "../core/index.ts";
import { findPlace, loadPlaces, type Place } from "../measure/carbon/index.ts";
import type { CliContext } from "./context.ts";
import { textTable } from "./text-table.ts";

const KINDS = ["country", "state", "balancing-area", "cloud-region"] as const;

/** The command `zones`. */
export function zonesCommand(context: CliContext) {
  return new Command("zones")
    .description("List the places whose carbon intensity is known, for --location.")
    .argument("[query]", "part of a name or code: france, US-, eu-west")
    .addOption(new Option("--kind <kind>", "only places of one kind").choices(KINDS))
    .option("--json", "print the list as JSON")
    .addHelpText(
      "after",
      `
The figures are yearly means, average and location-based. A year behind a place
that has several gives that year's: gcp:europe-west1@2021.

Examples:
  $ godwit zones germany
  $ godwit zones --kind cloud-region aws
  $ godwit run --location US-CA -- python train.py`,
    )
    .action(async (query, { kind, json }) => {
      const all = await loadPlaces(context.host);
      const ofKind = all.filter((place) => kind === undefined || place.kind === kind);
      const found = query === undefined ? ofKind : search(ofKind, query);
      if (json) context.stdout.write(zonesJson(found));
      else printTable(context, found);
    });
}

/**
 * The place whose id or alias this is; else those that have it in an id, an alias or a name, exact
 * names first, and never none.
 */
function search(places: readonly Place[], query: string): readonly Place[] {
  const wanted = query.trim().toLowerCase();
  const spellings = ({ id, aliases, name }: Place) =>
    [id, ...aliases, name].map((one) => one.toLowerCase());
  const exact = places.filter(({ id, aliases }) =>
    [id, ...aliases].some((one) => one.toLowerCase() === wanted),
  );
  if (exact.length > 0) return exact;
  const found = places.filter((place) => spellings(place).some((one) => one.includes(wanted)));
  // Nothing found: this throws with the nearest that there is, or finds `CISO@2020`.
  if (found.length === 0) return [findPlace(places, query)];
  const rank = (place: Place) => (spellings(place).includes(wanted) ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b));
}

function zonesJson(places: readonly Place[]): string {
  const zones = places.map(({ id, name, kind, aliases, zone, intensity, ...place }) => ({
    id,
    name,
    kind,
    aliases,
    // A region of a cloud that publishes nothing stands for the grid it lies in.
    ...(zone === id ? {} : { stands_for: zone }),
    gco2e_per_kwh: intensity,
    scope: place.scope,
    year: place.year,
    source: place.source,
    ...(place.caveat === null ? {} : { caveat: place.caveat }),
    years: place.years.map(({ year, intensity: value, scope }) => ({
      year,
      gco2e_per_kwh: value,
      scope,
    })),
  }));
  return `${JSON.stringify({ schema: "godwit.zones/1", zones }, null, 2)}\n`;
}

function printTable(context: CliContext, places: readonly Place[]): void {
  const rows = places.map((place) => [
    place.id,
    place.name,
    significant(place.intensity),
    place.scope,
    String(place.year),
    place.zone === place.id ? place.source : `as ${place.zone}: ${place.source}`,
  ]);
  const lines = textTable(
    [
      { title: "PLACE" },
      { title: "NAME", flexible: true },
      { title: "GCO2E/KWH", align: "right" },
      { title: "SCOPE" },
      { title: "YEAR" },
      { title: "SOURCE", flexible: true },
    ],
    rows,
    context.stdout.columns,
  );
  context.stdout.write(`${lines.join("\n")}\n`);
  const [only, ...more] = places;
  if (only === undefined || more.length > 0) return;
  if (only.caveat !== null) context.stderr.write(`Beware: ${only.caveat}.\n`);
  if (only.years.length > 1) {
    const years = only.years.map(
      ({ year, intensity, scope }) =>
        `${year} ${formatQuantity(intensity, "gCO2e/kWh")} (${scope})`,
    );
    context.stderr.write(`Years: ${years.join(", ")}.\n`);
  }
}
