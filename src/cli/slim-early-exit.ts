// `godwit slim exit`: heads on a classifier that easy samples leave by, verified like any other change. (How
// godwit ends, its exit codes, is in slim-exit.ts.)

import { resolve } from "node:path";
import { UserError } from "../core/index.ts";
import type { CliContext } from "./context.ts";
import { outputFile } from "./output-file.ts";
import { type ExitOptions, exitOptions } from "./slim-early-exit-options.ts";

/** The command `slim exit`. */
export const slimEarlyExitCommand = (context: CliContext) =>
  exitOptions().action(async (model, options) => {
    refuseOptions(options);
    const path = resolve(context.cwd, model);
    await outputFile(context, options.out, [path]);
    const { runEarlyExit } = await import("./slim-early-exit-run.ts");
    await runEarlyExit(context, { model: path, options });
  });

function refuseOptions({ batch, metric }: ExitOptions): void {
  if (batch > 1) {
    throw new UserError("usage", `--batch ${batch}: a model with exits takes one row a run`, {
      hint: "An If decides for all rows of a run. For batches the library runs stages: exitStages and runStages of godwit/dynamic.",
    });
  }
  if (metric !== undefined && metric !== "accuracy") {
    throw new UserError("usage", `--metric ${metric}: exits are chosen by accuracy`, {
      hint: "Leave --metric out.",
    });
  }
}
