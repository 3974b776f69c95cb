// `godwit run`: any command, measured, without touching it.

import { accessSync, constants, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { EXIT, UserError } from "../core/errors.ts";
import { reasonOf } from "../core/index.ts";
import type { CommandEnd } from "../measure/run/execute.ts";
import type { CliContext } from "./context.ts";
import type { Measuring } from "./run-measuring.ts";
import { type Attempt, type BeginMeasurement, runOnce } from "./run-once.ts";
import { planOf, type RunPlan, runOptions } from "./run-options.ts";
import { type ColorChoice, painter, wantsColor } from "./terminal.ts";

export const runCommand = (context: CliContext) =>
  runOptions().action(async (words, options, command) => {
    const plan = planOf(words, options, context);
    const { color } = command.optsWithGlobals() as { readonly color?: ColorChoice };
    checkJsonFile(context, plan.json);
    const measuring = await openMeasuring(context, plan);
    const attempts = await runAll(context, plan, measuring.begin);
    await report(context, { plan, attempts, savedTo: measuring.savedTo(), color: color ?? "auto" });
    const last = attempts.at(-1);
    if (last !== undefined) endAs(context, last.end, measuring.exceeded());
  });

/** What to measure with. A fault of ours is told with the result; the command runs all the same. */
async function openMeasuring(context: CliContext, plan: RunPlan): Promise<Measuring> {
  try {
    const { prepareMeasuring } = await import("./run-measuring.ts");
    return await prepareMeasuring(context, plan);
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (plan.requireMeasured) {
      throw new UserError("wrapper-failed", `nothing can be measured: ${reasonOf(error)}`, {
        hint: "Leave out --require to run the command all the same.",
        cause: error,
      });
    }
    return {
      begin: () => Promise.reject(error),
      savedTo: () => null,
      exceeded: () => false,
    };
  }
}

/** Warm-ups, then the measured runs; the first that fails or is interrupted is the last. */
async function runAll(
  context: CliContext,
  plan: RunPlan,
  begin: BeginMeasurement,
): Promise<readonly Attempt[]> {
  for (let run = 0; run < plan.warmUps; run++) {
    const attempt = await runOnce({ context, plan, begin: null });
    if (!hasSucceeded(attempt)) return [attempt];
  }
  const attempts: Attempt[] = [];
  while (attempts.length < plan.runs) {
    const attempt = await runOnce({ context, plan, begin });
    attempts.push(attempt);
    if (!hasSucceeded(attempt)) break;
  }
  return attempts;
}

const hasSucceeded = ({ end }: Attempt): boolean => end.code === 0 && !end.interrupted;

function endAs(context: CliContext, end: CommandEnd, exceeded: boolean): void {
  if (exceeded) context.setExitCode(EXIT.budgetExceeded);
  else if (end.signal === null) context.setExitCode(end.code ?? EXIT.wrapperFailed);
  else context.setExitCode(EXIT.wrapperFailed, end.signal);
}

/** A file that cannot be written is better known before a long run than after it. */
function checkJsonFile(context: CliContext, file: string | null): void {
  if (file === null || file === "-") return;
  const path = resolve(context.cwd, file);
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) throw new Error("it is a folder");
    accessSync(found === undefined ? dirname(path) : path, constants.W_OK);
  } catch (error) {
    throw new UserError("invalid-input", `--json: cannot write ${file}: ${reasonOf(error)}`, {
      hint: "Name a file in a folder that exists and can be written, or - for standard output.",
      cause: error,
    });
  }
}

interface Report {
  readonly plan: RunPlan;
  readonly attempts: readonly Attempt[];
  readonly savedTo: string | null;
  readonly color: ColorChoice;
}

/** Nothing here may fail the run: the command's own result is what counts. */
async function report(context: CliContext, of: Report): Promise<void> {
  const { plan, attempts, savedTo, color } = of;
  const cards = attempts.flatMap(({ card }) => card ?? []);
  const notices = [...new Set(attempts.flatMap((attempt) => attempt.notices))];
  const wanted = plan.summary === "auto" ? context.stderr.isTTY : plan.summary === "always";
  if (plan.json === null && !wanted) {
    // Where nothing else is left of the run, its loss is no part of a summary.
    if (savedTo === null) sayAll(context, notices);
    return;
  }
  const { renderRuns, runsToJson } = await import("./run-report.ts");
  if (plan.json !== null) writeJson(context, plan.json, runsToJson(cards, { plan, notices }));
  if (!wanted) return;
  const text = renderRuns(cards, {
    plan,
    notices,
    savedTo,
    width: context.stderr.columns,
    paint: painter(wantsColor(context.stderr, context.env, color)),
  });
  context.stderr.write(`\n${text}`);
}

const sayAll = ({ stderr }: CliContext, notices: readonly string[]): void => {
  for (const text of notices) stderr.write(`godwit: ${text}\n`);
};

function writeJson(context: CliContext, file: string, text: string): void {
  if (file === "-") {
    context.stdout.write(text);
    return;
  }
  try {
    writeFileSync(resolve(context.cwd, file), text);
  } catch (error) {
    context.stderr.write(`godwit: ${file} was not written: ${reasonOf(error)}\n`);
  }
}
