// `godwit replay`: our code on the inputs of a published study, ours beside the printed figures. Ends
// with exit code 1 when any differs.

import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Argument, Command } from "@commander-js/extra-typings";
import { EXIT, UserError } from "../core/index.ts";
import {
  agrees,
  type Check,
  REPLAYS,
  type ReplayFiles,
} from "../systems/schedule/replays/index.ts";
import type { CliContext } from "./context.ts";
import { type TextColumn, textTable } from "./text-table.ts";

const NAMES = REPLAYS.map(({ name }) => name);

/** The command `replay`. */
export function replayCommand(context: CliContext) {
  return new Command("replay")
    .description("Replay a published scheduling study and compare with its printed figures.")
    .addArgument(new Argument("<study>", "which study").choices(NAMES))
    .option("--data <folder>", "folder of the studies' data; default GODWIT_DATA")
    .option("--json", "print the comparison as JSON")
    .addHelpText(
      "after",
      `
  eurosys24  upper bounds of shifting in time, 123 zones (Sukprasert et al., EuroSys 2024)
  gaia       six policies on a cluster trace (Hanafy et al., ASPLOS 2024)
  lwa        Let's Wait Awhile (Wiesner et al., Middleware 2021)
  zeus       batch size and power limit of training jobs (You et al., NSDI 2023)

The data is not part of godwit; docs/methods/replays.md says where each study's lies.
Exit code 1 when a figure differs from the published one.

Examples:
  $ godwit replay gaia --data ../shared/data
  $ godwit replay eurosys24 --json`,
    )
    .action(async (name, { data, json }) => {
      const replay = REPLAYS.find((one) => one.name === name);
      if (replay === undefined) throw new RangeError(`${name} is no study`);
      const report = await replay.run(filesIn(dataFolder(context, data)));
      const checks = report.checks.map((check) => ({ ...check, agrees: agrees(check) }));
      const matched = checks.every((check) => check.agrees !== false);
      if (json) {
        const object = { schema: "godwit.replay/1", name, ...report, checks, matched };
        context.stdout.write(`${JSON.stringify(object, null, 2)}\n`);
      } else {
        const lines = [
          report.study,
          `  ${report.citation}`,
          "",
          ...textTable(COLUMNS, checks.map(rowOf), context.stdout.columns),
          "",
          verdict(report.checks),
          ...report.notes.map((note) => `  ${note}`),
        ];
        context.stdout.write(`${lines.join("\n")}\n`);
      }
      context.setExitCode(matched ? EXIT.done : EXIT.failed);
    });
}

function dataFolder({ env, cwd }: CliContext, flag: string | undefined): string {
  const folder = flag ?? env["GODWIT_DATA"];
  if (folder !== undefined && folder !== "") return resolve(cwd, folder);
  throw new UserError("usage", "a replay needs the study's data", {
    hint: "Give --data FOLDER or set GODWIT_DATA; docs/methods/replays.md says where data lies.",
  });
}

/** A folder whose files may be packed with gzip. */
export function filesIn(root: string): ReplayFiles {
  return {
    async text(path) {
      const plain = await readIfPresent(join(root, path));
      if (plain !== null) return plain.toString();
      const packed = await readIfPresent(join(root, `${path}.gz`));
      if (packed !== null) return (await promisify(gunzip)(packed)).toString();
      throw missing(root, path);
    },
    async list(folder) {
      try {
        const names = await readdir(join(root, folder));
        return names.map((name) => name.replace(/\.gz$/, "")).sort();
      } catch (cause) {
        throw missing(root, folder, cause);
      }
    },
  };
}

function missing(root: string, path: string, cause?: unknown): UserError {
  return new UserError("invalid-input", `the study's data is not there: ${join(root, path)}`, {
    hint: "docs/methods/replays.md says where each study's data lies and how to lay it out.",
    cause,
  });
}

async function readIfPresent(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

const COLUMNS: readonly TextColumn[] = [
  { title: "what", flexible: "wrap" },
  { title: "unit" },
  { title: "ours", align: "right" },
  { title: "published", align: "right" },
  { title: "" },
];

function rowOf(check: Check): readonly string[] {
  const { name, unit, ours, published } = check;
  const shown = (value: number): string => value.toFixed(decimalsOf(check));
  const printed = published === null ? "" : [published].flat().map(shown).join(" to ");
  return [name, unit, shown(ours), printed, resultOf(check)];
}

function resultOf(check: Check): string {
  const { published, tolerance, instead } = check;
  const result = agrees(check);
  if (result === null) return "";
  if (!result) return "DIFFERS";
  if (instead !== undefined) return `equals ${instead.value}, see below`;
  if (Array.isArray(published)) return "inside";
  return tolerance === 0 ? "equal" : `within ${tolerance}`;
}

/** As many decimals as the comparison looks at. */
function decimalsOf({ tolerance }: Check): number {
  if (tolerance === 0) return 2;
  return Math.min(6, Math.max(2, Math.floor(-Math.log10(tolerance))));
}

function verdict(checks: readonly Check[]): string {
  const results = checks.map(agrees);
  const compared = results.filter((result) => result !== null).length;
  const differing = results.filter((result) => result === false).length;
  const counts = differing === 0 ? `all ${compared} agree` : `${differing} of ${compared} differ`;
  const explained = checks.flatMap(({ name, instead }) =>
    instead === undefined ? [] : [`  ${name}: ${instead.why}.`],
  );
  return [`${counts}; docs/methods/replays.md explains each tolerance.`, ...explained].join("\n");
}
