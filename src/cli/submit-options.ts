// The options of `godwit submit`.

import { Command, Option } from "@commander-js/extra-typings";
import { parseBytes, parseCpus } from "./job-options.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";
import {
  EARLIEST,
  ERROR,
  minRunOption,
  POLICY,
  restartOption,
  STOPPABLE,
  sizeOption,
  THRESHOLD,
} from "./plan-options.ts";
import {
  basisOption,
  FORECASTER,
  FROM,
  kindOption,
  OFFLINE,
  SIGNAL,
  ZONE,
} from "./signal-options.ts";
import { ENGINE_NAMES } from "./submit-engines.ts";
import { tagOption } from "./tag-option.ts";
import { parseCount } from "./values.ts";

/** The command with its options. */
export function submitOptions() {
  return new Command("submit")
    .description("Hand in a job to be run when it emits least, before its deadline.")
    .argument("<command...>", "the command and its arguments")
    .passThroughOptions()
    .requiredOption("--deadline <when>", "when it must have ended: +18h, fri 9:00")
    .addOption(
      new Option("--engine <engine>", "what runs it")
        .choices(ENGINE_NAMES)
        .default(ENGINE_NAMES[0]),
    )
    .option(...EARLIEST)
    .option("--duration <time>", "how long it runs: 4h, 90min; learned from earlier runs else")
    .option("--power <watts>", "mean power while it runs: 300W; learned from earlier runs else")
    .option("--like <name>", "learn both from the ledger's runs of this name; its own unless given")
    .addOption(sizeOption())
    .option("--name <name>", "name of the job (default: the command)")
    .addOption(tagOption("tag of the job and its runs; may be given again"))
    .option("--interruptible", "it can be stopped (SIGSTOP) and continued")
    .addOption(
      new Option(
        "--checkpoint-cmd <command>",
        "shell command that makes it save itself and end",
      ).implies(STOPPABLE),
    )
    .addOption(minRunOption())
    .addOption(new Option("--checkpoint <time>", "what saving takes").implies(STOPPABLE))
    .addOption(restartOption())
    .option("--pin", "start at --earliest, whatever the forecast says")
    .addOption(
      new Option("--after <job>", "only once this job is done; may be given again")
        .argParser((text, before: readonly string[]) => [...before, text])
        .default([] as readonly string[], "none"),
    )
    .option("--cpus <count>", "processors it needs", (text) => parseCpus("--cpus", text), 1)
    .option("--memory <size>", "memory it needs: 16GB", (text) => parseBytes("--memory", text))
    .option("--gpus <count>", "GPUs it needs", (text) => parseCount("--gpus", text, 0), 0)
    .option(...SIGNAL)
    .option(...ZONE)
    .option(...FROM)
    .addOption(kindOption())
    .addOption(basisOption())
    .option(...OFFLINE)
    .option(...FORECASTER)
    .option(...POLICY)
    .option(...ERROR)
    .option(...THRESHOLD)
    .option("--export <variables>", "its environment: all, none, or names with commas", "all")
    .option("--output <file>", "its standard output (default: beside the ledger)")
    .option("--error-output <file>", "its standard error (default: beside the ledger)")
    .option("--no-meter", "slurm: hand the script over as it is")
    .option("--wait", "wait until it has ended, and end with its exit code")
    .option("--json", "print the job as JSON")
    .option(...LEDGER_OPTION)
    .addHelpText("after", HELP);
}

export type SubmitOptions = ReturnType<ReturnType<typeof submitOptions>["opts"]>;

const HELP = `
The command is run as given, by no shell, in this folder, with this environment, under the
meter. godwit agent runs what was submitted; with --wait and no agent, this command does.
With --engine slurm, what follows -- is what would follow sbatch: its options, then a script
or a program. It runs under the meter on its node, without where godwit is not there; its card
comes into the ledger when it has ended. godwit agent keeps its begin in line with newer
forecasts, and Slurm begins it in time without one. The ledger's folder must be on a file
system that the nodes share.

Examples:
  $ godwit submit --deadline +18h --duration 4h --power 300W --zone GB --from uk -- python train.py
  $ godwit submit --deadline "fri 9:00" --like train --signal forecast.csv --interruptible \\
      --min-run 30min -- ./train.sh --epochs 90
  $ godwit submit --deadline +12h --after last --cpus 4 --gpus 1 -- python evaluate.py
  $ godwit submit --engine slurm --deadline +18h --duration 4h --power 2kW --zone DE \\
      --from electricity-maps -- --time=6:00:00 train.sh
  $ godwit submit --deadline +2d --duration 20h --power 1kW --restart 5min \\
      --checkpoint-cmd 'kill -USR1 "$GODWIT_JOB_PID"' --zone DE --from electricity-maps -- ./train`;
