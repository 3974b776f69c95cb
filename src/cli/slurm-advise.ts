// `godwit slurm advise`: when idle nodes should be let sleep, and which, by replaying the cluster's accounting.

import { Command } from "@commander-js/extra-typings";
import { UserError } from "../core/errors.ts";
import { exact, type Figure, formatDuration, formatFigure, formatQuantity } from "../core/index.ts";
import {
  adviseSleep,
  createSlurmClient,
  type SleepAdvice,
} from "../systems/schedule/slurm/index.ts";
import type { CliContext } from "./context.ts";
import { parseCount, parseDuration, parseEnergy, parsePower, parseShare } from "./values.ts";

/** SuspendTimes that are tried: from a minute to a day. */
const SUSPEND_TIMES = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400];
const DAY_S = 86_400;

export function slurmAdviseCommand(context: CliContext) {
  return new Command("advise")
    .description(
      "Advise on SuspendTime and the nodes that may sleep, by the cluster's own history.",
    )
    .requiredOption("--idle-power <watts>", "what an idle node draws: 120W", (text): number =>
      parsePower("--idle-power", text),
    )
    .requiredOption("--boot-energy <energy>", "going down and coming up: 40kJ", (text): number =>
      parseEnergy("--boot-energy", text),
    )
    .requiredOption("--boot-time <time>", "from the wish to the first work: 3min", (text): number =>
      parseDuration("--boot-time", text),
    )
    .option("--sleep-power <watts>", "what a sleeping node draws: 5W", (text): number =>
      parsePower("--sleep-power", text),
    )
    .option("--partition <name>", "nodes of this partition alone")
    .option("--days <count>", "days of history", (text) => parseCount("--days", text, 1), 28)
    .option(
      "--max-delayed <share>",
      "jobs that may wait for a node to boot",
      (text) => parseShare("--max-delayed", text),
      0.05,
    )
    .option("--json", "print the advice as JSON")
    .addHelpText("after", HELP)
    .action(async (options) => {
      const client = createSlurmClient(context.host);
      const to = Math.floor(context.host.wall() / 1000);
      const window = { from: to - options.days * DAY_S, to };
      const nodes = (await client.nodes())
        .filter(
          ({ partitions }) =>
            options.partition === undefined || partitions.includes(options.partition),
        )
        .map(({ name }) => name);
      if (nodes.length === 0)
        throw new UserError("invalid-input", "there are no such nodes", {
          hint: "sinfo lists partitions and their nodes.",
        });
      const uses = await client.history(window.from, window.to);
      const first = Math.min(...uses.map(({ start }) => start));
      if (uses.length === 0 || to - first < DAY_S / 24)
        throw new UserError("invalid-input", "accounting has less than an hour of history", {
          hint: "Come back later, or give more --days.",
        });
      // Before the first job the cluster may not have existed.
      const known = { from: Math.max(window.from, first), to };
      const { maxDelayed, bootTime } = options;
      const advice = adviseSleep({
        ...{ nodes, uses, window: known, maxDelayed, suspendTimes: SUSPEND_TIMES },
        power: {
          idle: declared("W", options.idlePower, "--idle-power"),
          asleep: declared(
            "W",
            options.sleepPower ?? 0,
            options.sleepPower === undefined ? "taken as 0 W" : "--sleep-power",
          ),
          boot: declared("J", options.bootEnergy, "--boot-energy"),
          bootS: bootTime,
        },
      });
      if (options.json === true)
        context.stdout.write(`${JSON.stringify(json(advice, nodes, known), null, 2)}\n`);
      else
        for (const line of text(advice, { nodes, window: known, bootS: bootTime, maxDelayed }))
          context.stdout.write(`${line}\n`);
    });
}

const HELP = `
Placement stays as it was in the replay: a job whose nodes slept is taken to wait for them. The
powers are yours to declare; measure them at the plug, with the node idle, off, and booting.

Examples:
  $ godwit slurm advise --idle-power 120W --boot-energy 45kJ --boot-time 3min
  $ godwit slurm advise --idle-power 350W --sleep-power 12W --boot-energy 150kJ --boot-time 5min \\
      --partition gpu --days 60 --max-delayed 2%`;

const declared = <U extends "W" | "J">(unit: U, value: number, source: string): Figure<U> =>
  exact(unit, value, { method: "declared", source });

function json(
  advice: SleepAdvice | null,
  nodes: readonly string[],
  window: { readonly from: number; readonly to: number },
) {
  const at = (second: number): string => new Date(second * 1000).toISOString();
  const about = {
    schema: "godwit.slurm-sleep/1",
    from: at(window.from),
    to: at(window.to),
    nodes: nodes.length,
  };
  if (advice === null) return { ...about, advice: null };
  const { baseline, saved } = advice;
  return {
    ...about,
    advice: {
      suspend_time_s: advice.suspendS,
      may_sleep: advice.sleepers,
      stay_awake: nodes.filter((node) => !advice.sleepers.includes(node)),
      never_sleeping_j: baseline,
      saved_j: saved,
      saved_per_day_held_out_j: advice.savedPerDayHeldOut,
      wakes: advice.wakes,
      delayed_jobs: advice.delayedJobs,
      jobs: advice.jobs,
    },
  };
}

function text(
  advice: SleepAdvice | null,
  of: {
    readonly nodes: readonly string[];
    readonly window: { readonly from: number; readonly to: number };
    readonly bootS: number;
    readonly maxDelayed: number;
  },
): readonly string[] {
  const { nodes, window, bootS, maxDelayed } = of;
  const span = formatDuration(window.to - window.from);
  if (advice === null)
    return [
      `Let no node sleep: over ${span} no SuspendTime saves energy with at most ${percent(maxDelayed)} of the jobs waiting.`,
    ];
  const { baseline, saved, sleepers, savedPerDayHeldOut } = advice;
  const awake = nodes.filter((node) => !sleepers.includes(node));
  return [
    `Let ${sleepers.length} of ${nodes.length} nodes sleep after ${formatDuration(advice.suspendS)} without work.`,
    "",
    `never sleeping   ${formatFigure(baseline)} while idle, over ${span}`,
    `sleeping saves   ${formatFigure(saved)}, ${percent(saved.value / baseline.value)} of it`,
    ...(savedPerDayHeldOut === null
      ? []
      : [
          `checked          chosen on the first half: ${formatQuantity(savedPerDayHeldOut, "J")} a day on the second`,
        ]),
    `wakes            ${advice.wakes}; ${advice.delayedJobs} of ${advice.jobs} jobs wait up to ${formatDuration(bootS)}`,
    "",
    "slurm.conf:",
    `  SuspendTime=${advice.suspendS}`,
    `  ResumeTimeout=${Math.ceil(2 * bootS)}`,
    ...(awake.length === 0 ? [] : [`  SuspendExcNodes=${awake.join(",")}`]),
    "  SuspendProgram and ResumeProgram are started with an empty PATH: set it in them.",
  ];
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
