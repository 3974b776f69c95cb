// `godwit plan`: when to start a job so that it emits least and is not late, and what that is worth. It
// only tells; nothing is started.

import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { timeZone } from "../core/time-zone.ts";
import type { PlanView } from "../report/plan-words.ts";
import type { CliContext } from "./context.ts";
import { parseMoment } from "./moments.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";
import { adviceOn, decisionOf } from "./plan-advice.ts";
import { askedJob } from "./plan-job.ts";
import {
  EARLIEST,
  ERROR,
  minRunOption,
  POLICY,
  restartOption,
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
import { type ColorChoice, painter, wantsColor } from "./terminal.ts";

/** The command `plan`. */
export function planCommand(context: CliContext) {
  return new Command("plan")
    .description("Tell when to start a job so that it emits least and is not late.")
    .requiredOption(
      "--deadline <when>",
      "when it must have ended: +18h, fri 9:00, 2026-01-31T12:00",
    )
    .option("--duration <time>", "how long it runs: 4h, 90min")
    .option("--like <name>", "learn duration and power from the ledger's runs of this name")
    .addOption(sizeOption())
    .option("--power <watts>", "mean power while it runs: 300W, 1.2kW")
    .option(...EARLIEST)
    .option("--interruptible", "it can be stopped and continued")
    .addOption(minRunOption())
    .addOption(restartOption())
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
    .option("--now <when>", "plan as of this moment instead of the clock's")
    .option("--json", "print the plan as JSON")
    .option("--html <file>", "write the plan as one self-contained page")
    .option(...LEDGER_OPTION)
    .addHelpText("after", HELP)
    .action(async (options, command) => {
      const zone = timeZone(context.host.facts.timeZone);
      const clock = Math.floor(context.host.wall() / 1000);
      const now =
        options.now === undefined
          ? clock
          : parseMoment("--now", options.now, { now: clock, zone, repeated: "first" });
      const decision = decisionOf(options);
      const { job, durationSource } = await askedJob(context, options, { now, zone });
      const { advice, chosen } = await adviceOn(context, decision, job, now);
      const isHindsight =
        options.now !== undefined && chosen.record === null && chosen.forecast.issuedAt > now;
      const notices = isHindsight ? [...chosen.notices, HINDSIGHT] : chosen.notices;
      const shown: PlanView = { advice, zone, durationSource, notices };
      if (options.html !== undefined) await writePage(context, options.html, shown);
      const { color } = command.optsWithGlobals() as { readonly color?: ColorChoice };
      await print(context, shown, { json: options.json === true, color });
    });
}

const HELP = `
The deadline is kept with probability 0.95; a job whose forecast saving is within the
forecast's own error is started at once. Times without a zone are this machine's.

Examples:
  $ godwit plan --duration 4h --power 300W --deadline +18h --zone GB --from uk
  $ godwit plan --like train --deadline "fri 9:00" --signal forecast.csv --html plan.html
  $ godwit plan --duration 12h --power 2kW --deadline +36h --min-run 1h --restart 5min \\
      --zone DE --from entsoe --forecaster week-mean`;

const HINDSIGHT =
  "the signal does not say that it was known at --now: if it is what really came, this is hindsight";

async function writePage(context: CliContext, file: string, shown: PlanView): Promise<void> {
  const { renderPlanPage } = await import("../report/plan-page.ts");
  const { writeFileAtomic } = await import("../core/host/write-file-atomic.ts");
  await writeFileAtomic(
    resolve(context.cwd, file),
    renderPlanPage({ ...shown, version: context.version }),
  );
  context.stderr.write(`wrote ${file}\n`);
}

async function print(
  context: CliContext,
  shown: PlanView,
  { json, color }: { readonly json: boolean; readonly color: ColorChoice | undefined },
): Promise<void> {
  if (json) {
    const { planJson } = await import("./plan-json.ts");
    context.stdout.write(planJson(shown));
  } else {
    const { planText } = await import("./plan-text.ts");
    const screen = {
      width: context.stdout.columns,
      paint: painter(wantsColor(context.stdout, context.env, color)),
      unicode: speaksUtf8(context),
    };
    context.stdout.write(`${planText(shown, screen).join("\n")}\n`);
  }
  for (const notice of shown.notices) context.stderr.write(`${notice}\n`);
}

/** Whether the terminal shows more than ASCII: POSIX locale variables in their order of precedence. */
function speaksUtf8({ env, host }: CliContext): boolean {
  if (env["TERM"] === "dumb" || env["TERM"] === "linux") return false;
  if (host.platform === "win32") return env["WT_SESSION"] !== undefined;
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find(Boolean) ?? "";
  return /utf-?8/i.test(locale);
}
