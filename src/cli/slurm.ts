// `godwit slurm`: what a site does to its cluster. The hook makes batch jobs that ask for it begin when the
// grid is cleaner, without a change to any script; the advice says when nodes should sleep.

import { Command } from "@commander-js/extra-typings";
import type { CliContext } from "./context.ts";
import { slurmAdviseCommand } from "./slurm-advise.ts";
import { installHookCommand, refreshHookCommand } from "./slurm-hook.ts";

/** The command `slurm`. */
export const slurmCommand = (context: CliContext) =>
  new Command("slurm")
    .description("Make a Slurm cluster carbon-aware: the submission hook, and nodes that sleep.")
    .enablePositionalOptions()
    .addCommand(installHookCommand(context))
    .addCommand(refreshHookCommand(context))
    .addCommand(slurmAdviseCommand(context));
