// `godwit slim verify`: two files, held against each other on samples. A search verifies the file that it
// wrote in a process of its own by this command.

import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Option } from "@commander-js/extra-typings";
import { UserError } from "../core/index.ts";
import type { EngineOptions } from "../engine/index.ts";
import { asDeployed, type Verification, verify, withRows } from "../models/compress/index.ts";
import { allRows } from "../models/data/index.ts";
import type { SlimTrial } from "../report/slim/report.ts";
import { trialText } from "../report/slim/words.ts";
import type { CliContext } from "./context.ts";
import { SLIM_EXIT } from "./slim-exit.ts";
import { openSlimInputs, openSlimModel, type SlimModel } from "./slim-inputs.ts";
import { dataCommand, parseDrop } from "./slim-options.ts";

/** What a search tells the process that verifies its file. */
export interface VerifyPlan {
  readonly rows: readonly number[];
  readonly alpha: number;
  readonly settings: EngineOptions;
}

/** The command `slim verify`. */
export const slimVerifyCommand = (context: CliContext) =>
  dataCommand("verify")
    .description("Hold a changed model against the original, by a paired test.")
    .argument("<original>", "an .onnx file")
    .argument("<changed>", "an .onnx file")
    .option(
      "--max-drop <drop>",
      "largest drop that is accepted: 0.5pp, or in units of the metric",
      parseDrop,
      0.01,
    )
    .option(
      "--one-row",
      "the changed model takes one row a run, as early exit does: that is no fault then",
    )
    .addOption(new Option("--plan <file>", "rows and settings, as a search writes them").hideHelp())
    .option("--json", "print as JSON")
    .action(async (original, changed, options) => {
      const plan = options.plan === undefined ? null : await readPlan(options.plan);
      const [first, second] = [resolve(context.cwd, original), resolve(context.cwd, changed)];
      const model = await openSlimModel(first);
      const other = await openSlimModel(second);
      model.close();
      other.close();
      const opened = await openSlimInputs(context, model, options);
      const { dataset, judge } = opened;
      const oneRow = options.oneRow === true;
      if (!oneRow && isOfOneRow(other) && !isOfOneRow(model)) {
        throw new UserError("usage", `${changed} takes one row a run, ${original} any number`, {
          hint: "Add --one-row where it is to be run like that.",
        });
      }
      const samples = oneRow
        ? { ...opened.samples, batch: 1 }
        : asDeployed(other.whole, opened.samples, options.batch);
      const rows = plan?.rows ?? allRows(dataset.length);
      const settings = plan?.settings ?? { threads: 1 };
      const found = await verify(
        first,
        second,
        { samples: withRows(samples, rows), judge },
        {
          ...{ margin: options.maxDrop, before: settings, after: settings, oneRow },
          ...(plan === null ? {} : { alpha: plan.alpha }),
        },
      );
      const trial = trialOf(changed, found);
      if (options.json === true) context.stdout.write(`${JSON.stringify(trial)}\n`);
      else context.stdout.write(`${lines(judge.metric.name, trial).join("\n")}\n`);
      context.setExitCode(EXIT_OF[trial.verdict]);
    });

/** Whether a model states that a run takes one row. */
const isOfOneRow = ({ inputs }: Pick<SlimModel, "inputs">): boolean =>
  inputs.some(({ dims }) => dims?.[0] === 1);

const EXIT_OF: Readonly<Record<Verification["verdict"], number>> = {
  equal: SLIM_EXIT.improved,
  shown: SLIM_EXIT.improved,
  "not-shown": SLIM_EXIT.notShown,
  faulty: SLIM_EXIT.faulty,
};

const lines = (metric: string, trial: SlimTrial): readonly string[] => [
  trialText(metric, trial),
  ...trial.faults.map((fault) => `fault  ${fault}`),
  ...trial.difference.worst.map(
    ({ row, change }) => `row ${row} changed by ${change.toPrecision(3)}`,
  ),
];

function trialOf(
  name: string,
  { verdict, faults, before, after, test, difference, answers }: Verification,
): SlimTrial {
  const of = ({ value, interval }: Verification["before"]) => ({ value, interval });
  return { name, verdict, faults, test, difference, answers, before: of(before), after: of(after) };
}

async function readPlan(file: string): Promise<VerifyPlan> {
  const plan = JSON.parse(await readFile(file, "utf8")) as Partial<VerifyPlan>;
  if (
    Array.isArray(plan.rows) &&
    typeof plan.alpha === "number" &&
    typeof plan.settings === "object"
  ) {
    return plan as VerifyPlan;
  }
  throw new UserError("invalid-input", `${file} is no plan of a verification`, {
    hint: "Leave --plan out.",
  });
}

/** Runs `godwit slim verify` as a process of its own and reads what it found. */
export async function verifyAside(
  context: CliContext,
  files: readonly [original: string, changed: string],
  args: readonly string[],
  signal: AbortSignal,
): Promise<SlimTrial> {
  const { program, cwd, env } = context;
  const child = spawn(process.execPath, [program, "slim", "verify", ...files, ...args, "--json"], {
    ...{ cwd, signal, stdio: ["ignore", "pipe", "pipe"] },
    env: { ...env },
  });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  const code = await new Promise<number | null>((settle, fail) => {
    child.on("error", fail);
    child.on("close", settle);
  });
  const text = Buffer.concat(out).toString();
  if (text.startsWith("{")) return JSON.parse(text) as SlimTrial;
  throw new UserError("wrapper-failed", `the verification ended with ${code ?? "a signal"}`, {
    hint: Buffer.concat(err).toString().trim() || "It said nothing. Was there too little memory?",
  });
}
