// `godwit slim`: a model made smaller and less hungry, its accuracy verified, with a report that proves it.

import { resolve } from "node:path";
import type { CliContext } from "./context.ts";
import { slimApplyCommand } from "./slim-apply.ts";
import { slimDistilCommand } from "./slim-distil.ts";
import { slimEarlyExitCommand } from "./slim-early-exit.ts";
import { slimExplainCommand, slimResumeCommand } from "./slim-explain.ts";
import { slimInspectCommand } from "./slim-inspect.ts";
import { slimOptions } from "./slim-options.ts";
import {
  slimFactoriseCommand,
  slimPruneCommand,
  slimQuantiseCommand,
  slimSimplifyCommand,
} from "./slim-passes.ts";
import { slimVerifyCommand } from "./slim-verify.ts";

/** The command `slim` and its parts. */
export const slimCommand = (context: CliContext) =>
  slimOptions()
    .action(async (model, options) => {
      const { runSearch } = await import("./slim-search.ts");
      await runSearch(context, { model: resolve(context.cwd, model), options, cwd: context.cwd });
    })
    .addCommand(slimInspectCommand(context))
    .addCommand(slimSimplifyCommand(context))
    .addCommand(slimQuantiseCommand(context))
    .addCommand(slimPruneCommand(context))
    .addCommand(slimFactoriseCommand(context))
    .addCommand(slimDistilCommand(context))
    .addCommand(slimEarlyExitCommand(context))
    .addCommand(slimApplyCommand(context))
    .addCommand(slimVerifyCommand(context))
    .addCommand(slimExplainCommand(context))
    .addCommand(slimResumeCommand(context));
