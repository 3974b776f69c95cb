// `godwit intensity`: a grid's carbon intensity now, as it was or as it is expected, from a service or from a
// file. Its JSON can be read back as a file.

import { Command, Option } from "@commander-js/extra-typings";
import { formatQuantity } from "../core/index.ts";
import { describe } from "../measure/carbon/intensity.ts";
import type { IntensityAnswer } from "../measure/carbon/providers/index.ts";
import type { CliContext } from "./context.ts";
import { providerOf } from "./intensity-source.ts";
import { basisOption, kindOption } from "./signal-options.ts";
import { textTable } from "./text-table.ts";

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
    .addOption(kindOption())
    .addOption(basisOption())
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
