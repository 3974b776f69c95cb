// `godwit slim explain` and `resume`: a search that was run before, from its folder.

import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { UserError } from "../core/index.ts";
import { SLIM_SCHEMA, type SlimReport } from "../report/slim/report.ts";
import type { CliContext } from "./context.ts";
import { readAsked, readSearchFile } from "./slim-folder.ts";

/** The command `slim explain`. */
export const slimExplainCommand = (context: CliContext) =>
  new Command("explain")
    .description("Show again what a search found, or what became of one operator or node.")
    .argument("<folder>", "of the search: MODEL.green.slim unless another was named")
    .option("--op <name>", "only what has this in its name: refusals, candidates, operators")
    .option("--json", "print as JSON")
    .action(async (folder, { op, json }) => {
      const report = await readReport(resolve(context.cwd, folder));
      const shown = op === undefined ? report : narrowed(report, op);
      if (json === true) {
        context.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
        return;
      }
      const { slimText } = await import("./slim-text.ts");
      context.stdout.write(op === undefined ? slimText(context, report) : operatorText(shown));
    });

async function readReport(folder: string): Promise<SlimReport> {
  const report = (await readSearchFile(folder, "report.json")) as Partial<SlimReport>;
  if (report.schema === SLIM_SCHEMA) return report as SlimReport;
  throw new UserError("invalid-input", `${folder} holds no report that this godwit reads`, {
    hint: "Run godwit slim resume on it.",
  });
}

function narrowed(report: SlimReport, op: string): SlimReport {
  const has = (text: string): boolean => text.toLowerCase().includes(op.toLowerCase());
  const kept = (steps: SlimReport["candidates"][number]["steps"]): boolean =>
    steps.some(({ options }) => has(JSON.stringify(options)));
  return {
    ...report,
    operators: report.operators.filter(({ operator }) => has(operator)),
    refused: report.refused.filter(({ what, reason }) => has(what) || has(reason)),
    candidates: report.candidates.filter(({ steps }) => kept(steps)),
  };
}

function operatorText({ operators, refused, candidates }: SlimReport): string {
  const microseconds = (value: number): string => `${Math.round(1e6 * value)} us`;
  const lines = [
    ...operators.map(
      ({ operator, before, after }) =>
        `${operator}: ${microseconds(before)} before, ${microseconds(after)} after`,
    ),
    ...refused.map(({ what, reason }) => `left alone: ${what}: ${reason}`),
    ...candidates.map(({ name }) => `named by: ${name}`),
  ];
  return lines.length === 0 ? "nothing has that in its name\n" : `${lines.join("\n")}\n`;
}

/** The command `slim resume`. */
export const slimResumeCommand = (context: CliContext) =>
  new Command("resume")
    .description(
      "Go on with a search that was interrupted; what it computed is not computed again.",
    )
    .argument("<folder>", "of the search: MODEL.green.slim unless another was named")
    .option("--json", "print the report as JSON")
    .option("-q, --quiet", "no progress")
    .action(async (folder, how) => {
      const path = resolve(context.cwd, folder);
      const asked = await readAsked(path);
      const { model, cwd } = asked;
      const options = { ...asked.options, ...how };
      const { runSearch } = await import("./slim-search.ts");
      const own = { ...context, cwd };
      await runSearch(own, { model, options: { ...options, runDir: path }, cwd });
    });
