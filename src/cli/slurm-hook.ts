// `godwit slurm install-hook` and `godwit slurm refresh`: the files of the hook, beside slurm.conf.

import { chmodSync, existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { reasonOf, UserError } from "../core/errors.ts";
import { hostErrorCode } from "../core/host/host.ts";
import { writeFileAtomic } from "../core/host/write-file-atomic.ts";
import { forecasterNamed } from "../systems/schedule/index.ts";
import {
  chainLines,
  checkSettings,
  type HookSettings,
  IDLE_SCRIPT,
  renderPolicy,
  settingsOf,
  submitScript,
  USUAL_SETTINGS,
} from "../systems/schedule/slurm/index.ts";
import type { CliContext } from "./context.ts";
import { chosenSignal } from "./plan-signal.ts";
import { basisOption, FORECASTER, FROM, kindOption, SIGNAL, ZONE } from "./signal-options.ts";
import { parseDuration, parseShare } from "./values.ts";

const DIR = [
  "--dir <folder>",
  "folder of slurm.conf (default: of $SLURM_CONF, else /etc/slurm)",
] as const;

export function installHookCommand(context: CliContext) {
  return new Command("install-hook")
    .description("Write the hook that lets jobs that ask for it begin when the grid is cleaner.")
    .option(...DIR)
    .option("--word <word>", "word in a job's comment that asks for it", USUAL_SETTINGS.word)
    .option(
      "--qos <name>",
      "QOS whose jobs all ask for it; may be given again",
      (text: string, before: readonly string[]) => [...before, text],
      [] as readonly string[],
    )
    .option(
      "--max-delay <time>",
      "longest that a job is put off",
      (text): number => parseDuration("--max-delay", text),
      USUAL_SETTINGS.maxDelayS,
    )
    .option(
      "--least-saving <share>",
      "least share of its emissions for which it is",
      (text) => parseShare("--least-saving", text),
      USUAL_SETTINGS.leastSaving,
    )
    .option("--uninstall", "take the hook away again")
    .option("--dry-run", "only say what would be written")
    .addHelpText("after", HELP)
    .action(async (options) => {
      const { word, qos, maxDelay: maxDelayS, leastSaving } = options;
      const settings = { word, qos, maxDelayS, leastSaving };
      checkSettings(settings);
      const folder = folderOf(context, options.dir);
      const isDry = options.dryRun === true;
      if (options.uninstall === true) return uninstall(context, folder, isDry);
      await install(context, { folder, settings, isDry });
    });
}

const HELP = `
Three files are written: godwit.lua, godwit-policy, and job_submit.lua unless the site has one of
its own. A job asks for it with --comment=green-flex, or green-flex=18h to be put off by no more.
Without a fresh forecast, or after any fault, jobs stay as they were handed in.

Examples:
  $ sudo godwit slurm install-hook --dry-run
  $ sudo godwit slurm install-hook --qos green --max-delay 18h
  $ echo '*/15 * * * * godwit slurm refresh --zone GB --from uk' | sudo crontab -
  $ sbatch --comment=green-flex=12h train.sh`;

/** Absolute: slurmctld runs in a folder of its own. */
const folderOf = ({ env, cwd }: CliContext, dir: string | undefined): string =>
  resolve(cwd, dir ?? (env["SLURM_CONF"] ? dirname(env["SLURM_CONF"]) : "/etc/slurm"));

const FILES = ["godwit.lua", "godwit-policy"] as const;

async function install(
  context: CliContext,
  of: { readonly folder: string; readonly settings: HookSettings; readonly isDry: boolean },
): Promise<void> {
  const { folder, settings, isDry } = of;
  if (!existsSync(folder))
    throw new UserError("invalid-input", `there is no folder ${folder}`, {
      hint: "Name the folder of slurm.conf with --dir, on the host of slurmctld.",
    });
  const script = join(folder, "job_submit.lua");
  const present = textIfPresent(script);
  const isOurs = present === null || present === submitScript(folder) || present === IDLE_SCRIPT;
  await put(
    context,
    join(folder, "godwit.lua"),
    await context.host.readData("slurm/godwit.lua"),
    isDry,
  );
  const policy = join(folder, "godwit-policy");
  // A forecast that is there stays until the next refresh.
  const before = textIfPresent(policy);
  const kept = before === null ? [] : before.split("\n").filter((line) => FORECAST.test(line));
  const text = renderPolicy(settings, null).replace(/end\n$/, [...kept, "end\n"].join("\n"));
  await put(context, policy, text, isDry);
  if (isOurs) await put(context, script, submitScript(folder), isDry);
  const { stderr } = context;
  if (!isOurs)
    stderr.write(
      `${script} is the site's own and stays. Add to its slurm_job_submit, before it returns:\n` +
        `${chainLines(folder).join("\n")}\n`,
    );
  stderr.write(
    `Next: let slurm.conf hold JobSubmitPlugins=lua, and restart slurmctld;\n` +
      `and renew the forecast by cron: godwit slurm refresh --dir ${folder} --zone ... --from ...\n`,
  );
}

const FORECAST = /^(?:signal|issued|expires|start|step|value) /;

async function uninstall(context: CliContext, folder: string, isDry: boolean): Promise<void> {
  const { stdout, stderr } = context;
  const script = join(folder, "job_submit.lua");
  const present = textIfPresent(script);
  const isOurs = present === submitScript(folder) || present === IDLE_SCRIPT;
  const isAsked = /^\s*JobSubmitPlugins\s*=.*\blua\b/im.test(
    textIfPresent(join(folder, "slurm.conf")) ?? "",
  );
  if (isOurs && isAsked) {
    // Without a script slurmctld would not start again.
    await put(context, script, IDLE_SCRIPT, isDry);
    stderr.write(`slurm.conf asks for ${script}: it stays, and does nothing any more.\n`);
  }
  const gone = [...FILES, ...(isOurs && !isAsked ? ["job_submit.lua"] : [])];
  for (const path of gone.map((name) => join(folder, name)).filter((path) => existsSync(path))) {
    if (!isDry) rmSync(path);
    stdout.write(`${isDry ? "would remove" : "removed"} ${path}\n`);
  }
  if (present !== null && !isOurs && present.includes("godwit"))
    stderr.write(`${script} is the site's own: take the lines with godwit out of it.\n`);
}

/** Readable by whoever slurmctld runs as. */
async function put(
  { stdout }: CliContext,
  path: string,
  text: string,
  isDry: boolean,
): Promise<void> {
  if (isDry) {
    stdout.write(`would write ${path} (${text.split("\n").length - 1} lines)\n`);
    return;
  }
  await writeFileAtomic(path, text);
  chmodSync(path, 0o644);
  stdout.write(`wrote ${path}\n`);
}

function textIfPresent(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(hostErrorCode(error) ?? "")) return null;
    throw new UserError("denied", `cannot read ${path}: ${reasonOf(error)}`, {
      hint: "Run it as who owns that folder.",
      cause: error,
    });
  }
}

export function refreshHookCommand(context: CliContext) {
  return new Command("refresh")
    .description("Renew the forecast of the hook; for cron.")
    .option(...DIR)
    .option(...SIGNAL)
    .option(...ZONE)
    .option(...FROM)
    .addOption(kindOption())
    .addOption(basisOption())
    .option(...FORECASTER)
    .option(
      "--horizon <time>",
      "how far the forecast must reach",
      (text): number => parseDuration("--horizon", text),
      24 * 3600,
    )
    .option(
      "--max-age <time>",
      "how long the hook may act on it",
      (text): number => parseDuration("--max-age", text),
      6 * 3600,
    )
    .addHelpText(
      "after",
      `
Examples:
  $ godwit slurm refresh --zone GB --from uk
  $ godwit slurm refresh --zone DE --from entsoe --forecaster week-mean --horizon 36h`,
    )
    .action(async (options) => {
      const path = join(folderOf(context, options.dir), "godwit-policy");
      const text = textIfPresent(path);
      if (text === null)
        throw new UserError("invalid-input", `there is no policy ${path}`, {
          hint: "Install the hook first: godwit slurm install-hook.",
        });
      const settings = settingsOf(text, path);
      const now = Math.floor(context.host.wall() / 1000);
      const forecaster =
        options.forecaster === undefined ? null : forecasterNamed(options.forecaster);
      const window = { now, until: now + options.horizon };
      const choice = { ...options, offline: false };
      const { forecast, notices } = await chosenSignal(context, choice, window, forecaster);
      const rendered = renderPolicy(settings, { forecast, now, maxAgeS: options.maxAge });
      await put(context, path, rendered, false);
      for (const notice of notices) context.stderr.write(`${notice}\n`);
    });
}
