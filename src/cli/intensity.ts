// `godwit intensity`: a grid's carbon intensity now, as it was or as it is expected, from a service or from a
// file. Its JSON can be read back as a file.

import { Command, Option } from "@commander-js/extra-typings";
import { cacheFolder, createFolderStore } from "../core/host/cache-folder.ts";
import { formatQuantity, UserError } from "../core/index.ts";
import { type Basis, type Kind, loadFactors } from "../measure/carbon/index.ts";
import { describe } from "../measure/carbon/intensity.ts";
import {
  createClient,
  electricityMaps,
  entsoe,
  fileOrUrl,
  type IntensityAnswer,
  type IntensityProvider,
  ukCarbonIntensity,
  wattTime,
} from "../measure/carbon/providers/index.ts";
import type { CliContext } from "./context.ts";
import { textTable } from "./text-table.ts";

interface Source {
  readonly from: string;
  readonly offline: boolean;
  /** What was asked for, or for a file said; absent: as the source has it. */
  readonly scope?: "life-cycle" | "direct" | undefined;
  readonly kind?: Kind | undefined;
  readonly basis?: Basis | undefined;
}

/** The command `intensity`. */
export function intensityCommand(context: CliContext) {
  return new Command("intensity")
    .description("Show a grid's carbon intensity now, as it was, or as it is expected.")
    .argument("<zone>", "the grid, as its source spells it: DE, CAISO_NORTH, GB, region:13")
    .requiredOption(
      "--from <source>",
      "electricity-maps, watttime, uk, entsoe, or a file or address (CSV, JSON)",
    )
    .addOption(
      new Option("--want <when>", "what to ask for")
        .choices(["latest", "history", "forecast"] as const)
        .default("latest" as const),
    )
    .addOption(
      new Option("--scope <scope>", "with fuel supply and construction, or not").choices([
        "life-cycle",
        "direct",
      ] as const),
    )
    .addOption(
      new Option("--kind <kind>", "of a file: what its values are").choices([
        "average",
        "marginal",
      ] as const),
    )
    .addOption(
      new Option("--basis <basis>", "of a file: what its values are").choices([
        "location",
        "market",
      ] as const),
    )
    .option("--offline", "answer from what was kept, however old", false)
    .option("--json", "print the values as JSON")
    .addHelpText(
      "after",
      `
Credentials: ELECTRICITY_MAPS_TOKEN, WATTTIME_USER and WATTTIME_PASSWORD,
ENTSOE_API_KEY; or each with _FILE behind it, naming a file that holds it.

Examples:
  $ godwit intensity GB --from uk --want forecast
  $ godwit intensity DE --from entsoe --want history --json > de.json
  $ godwit intensity DE --from de.json --want history`,
    )
    .action(async (zone, { want, json, ...source }) => {
      const provider = await providerOf(context, source);
      const answer = await provider.fetch({ zone, want });
      if (json) context.stdout.write(seriesJson(answer));
      else printSeries(context, answer);
      for (const notice of answer.notices) context.stderr.write(`${notice}\n`);
    });
}

async function providerOf(
  { host, env }: CliContext,
  { from, offline, scope, kind, basis }: Source,
): Promise<IntensityProvider> {
  const store = createFolderStore(cacheFolder(env));
  const client = createClient({ host, store, offline, spacing: 200 });
  const isFile = /[./\\]/.test(from);
  if (!isFile) refuseOptions(from, { scope, kind, basis });
  switch (from) {
    case "electricity-maps":
      return electricityMaps(host, { client, ...(scope === undefined ? {} : { scope }) });
    case "watttime":
      return wattTime(host, { client });
    case "uk":
      return ukCarbonIntensity(host, { client });
    case "entsoe": {
      const factors = await loadFactors(host, "carboncast", scope ?? "life-cycle");
      return entsoe(host, { client, factors });
    }
    default: {
      if (!isFile) throw unknownSource(from);
      const accounting = {
        kind: kind ?? "average",
        basis: basis ?? "location",
        scope: scope ?? "unknown",
      } as const;
      return fileOrUrl(host, { client, target: from, accounting });
    }
  }
}

/** A service says itself what its values are; what it cannot give is refused, not passed over. */
function refuseOptions(from: string, { scope, kind, basis }: Omit<Source, "from" | "offline">) {
  const isDirect = from === "uk" || from === "watttime";
  const refused = [
    { option: "--kind", isGiven: kind !== undefined },
    { option: "--basis", isGiven: basis !== undefined },
    { option: "--scope life-cycle", isGiven: isDirect && scope === "life-cycle" },
  ].find(({ isGiven }) => isGiven);
  if (refused === undefined) return;
  throw new UserError("usage", `${from} cannot be asked for ${refused.option}`, {
    hint: "Leave it out: the answer says what its values are.",
  });
}

const unknownSource = (from: string): UserError =>
  new UserError("usage", `--from: there is no source "${from}"`, {
    hint: "Give electricity-maps, watttime, uk, entsoe, or the path or address of a file.",
  });

const minute = (instant: number): string => `${new Date(instant).toISOString().slice(0, 16)}Z`;

function seriesJson({ series, retrievedAt, notices }: IntensityAnswer): string {
  const { points, issuedAt, ...about } = series;
  const json = {
    schema: "godwit.intensity/1",
    ...about,
    retrieved_at: new Date(retrievedAt).toISOString(),
    ...(issuedAt === undefined ? {} : { issued_at: new Date(issuedAt).toISOString() }),
    notices,
    data: points.map(({ start, end, value }) => ({
      start: new Date(start).toISOString(),
      end: new Date(end).toISOString(),
      gco2e_per_kwh: value,
    })),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

function printSeries(context: CliContext, { series }: IntensityAnswer): void {
  const rows = series.points.map(({ start, end, value, estimated }) => [
    minute(start),
    minute(end),
    formatQuantity(value, "gCO2e/kWh"),
    estimated === true ? "estimated" : "",
  ]);
  const columns = [
    { title: "FROM" },
    { title: "TO" },
    { title: "CARBON INTENSITY", align: "right" },
    { title: "" },
  ] as const;
  context.stdout.write(`${textTable(columns, rows, context.stdout.columns).join("\n")}\n`);
  context.stderr.write(`${series.source}: ${describe(series)}\n`);
}
