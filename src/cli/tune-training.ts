// `godwit tune-training`: the batch size and the power limit at which a training that comes again and again
// costs least, found as it comes (Zeus, NSDI 2023).

import { homedir } from "node:os";
import { join } from "node:path";
import { formatDuration, formatQuantity, UserError } from "../core/index.ts";
import { openLedger } from "../ledger/index.ts";
import {
  guardLimits,
  type LimitGuard,
  type NextRun,
  nextRun,
  nvidiaDevices,
  POWERCAP,
  type PowerDevice,
  type Preference,
  paretoFront,
  raplDevices,
  requireInRange,
  restoreLeft,
  settingsSeen,
  type TunedRun,
} from "../systems/tune/index.ts";
import type { CliContext } from "./context.ts";
import { ledgerOf } from "./open-ledger.ts";
import { keepRun, tunedRuns } from "./tune-training-history.ts";
import {
  type TuneOptions,
  type TunePlan,
  tuneOptions,
  tunePlanOf,
} from "./tune-training-options.ts";

/** The command `tune-training`. */
export function tuneTrainingCommand(context: CliContext) {
  return tuneOptions().action(async (words, options) => {
    const say = (text: string): void => void context.stderr.write(`godwit: ${text}\n`);
    const devices = () => devicesOf(context, options.device);
    const guarded = { host: context.host, path: savedPath(context), devices, onNotice: say };
    if (options.restore === true) {
      const found = await restoreLeft(guarded);
      say(found ? "power limits are as they were" : "no power limits were left changed");
      return;
    }
    const plan = tunePlanOf(words, options);
    const present = plan.limits.length === 0 ? [] : await devices();
    requireInRange(present, plan.limits);
    const preference = preferenceOf(plan, present);
    if (options.dryRun === true) return dryRun(context, { plan, options, present, preference });
    const guard = plan.limits.length === 0 ? null : await guardLimits(guarded);
    if (guard !== null)
      say("setting power limits is unverified on hardware; they are put back at the end");
    try {
      await tune(context, { plan, options, guard, preference, say });
    } finally {
      await guard?.release();
    }
  });
}

/** Machine-wide as the limits are, for this user: XDG Base Directory Specification, state. */
const savedPath = ({ env }: CliContext): string =>
  join(env["XDG_STATE_HOME"] || join(homedir(), ".local/state"), "godwit", "power-limits.json");

/** `GODWIT_POWERCAP` names another tree, as in a container that mounts the host's elsewhere. */
const devicesOf = (
  { host, env }: CliContext,
  kind: TuneOptions["device"],
): Promise<readonly PowerDevice[]> =>
  kind === "gpu" ? nvidiaDevices(host) : raplDevices(env["GODWIT_POWERCAP"] || POWERCAP);

/** What a second costs: the most that the devices may draw, unless said. */
function preferenceOf(plan: TunePlan, devices: readonly PowerDevice[]): Preference {
  const { eta } = plan.choice;
  const most = devices.reduce((sum, device) => sum + device.most, 0);
  if (plan.mostPower !== null) return { eta, highestLimit: plan.mostPower };
  if (most > 0) return { eta, highestLimit: most };
  if (eta === 1) return { eta, highestLimit: 0 };
  throw new UserError("usage", "what does a second cost, against a joule?", {
    hint: "Give --most-power 300W (the device's highest), or --eta 1 for energy alone.",
  });
}

interface Tuning {
  readonly plan: TunePlan;
  readonly options: TuneOptions;
  readonly guard: LimitGuard | null;
  readonly preference: Preference;
  readonly say: (text: string) => void;
}

async function history(context: CliContext, { plan, options }: Pick<Tuning, "plan" | "options">) {
  const ledger = await openLedger(ledgerOf(context, options.ledger));
  try {
    return await tunedRuns(ledger, plan.name);
  } finally {
    ledger.close();
  }
}

async function tune(context: CliContext, tuning: Tuning): Promise<void> {
  const { plan, options, preference, say } = tuning;
  const { runTuned } = await import("./tune-training-run.ts");
  const place = ledgerOf(context, options.ledger);
  for (let time = 0; time < options.times; time++) {
    const next = nextRun(await history(context, tuning), { ...plan.choice, ...preference });
    say(`run ${time + 1} of ${options.times}: ${nextText(next)}`);
    const folder = join(place.folder, "tune");
    const outcome = await runTuned(context, { ...tuning, next, folder, ledger: options.ledger });
    const { run, card } = outcome;
    const how = run.reached ? "reached its target" : "did not reach its target";
    say(`${how} in ${formatDuration(run.seconds)} with ${formatQuantity(run.joules, "J")}`);
    if (card === null) say("it was not measured: nothing is learned from it");
    else {
      const ledger = await openLedger(place);
      try {
        await keepRun(ledger, card, run);
      } finally {
        ledger.close();
      }
    }
    // A run that godwit did not stop and that somebody did ends the tuning.
    if (card?.status === "interrupted" && outcome.stopped === null) break;
  }
  report(context, await history(context, tuning), tuning);
}

function nextText({ batch, phase, allowance, tooSlow }: NextRun): string {
  const limit = allowance === Infinity ? "" : `, at most ${formatQuantity(allowance, "J")} of cost`;
  const slow = tooSlow.length === 0 ? "" : `; too slow: ${tooSlow.join(", ")}`;
  return `batch size ${batch} (${phase})${limit}${slow}`;
}

async function dryRun(
  context: CliContext,
  of: Pick<Tuning, "plan" | "options" | "preference"> & {
    readonly present: readonly PowerDevice[];
  },
): Promise<void> {
  const { plan, preference, present } = of;
  const next = nextRun(await history(context, of), { ...plan.choice, ...preference });
  const words = plan.command.map((word) => word.replaceAll("{batch}", String(next.batch)));
  const line = (text: string): void => void context.stdout.write(`${text}\n`);
  line(`would run, ${nextText(next)}:`);
  line(`  ${words.map((word) => JSON.stringify(word)).join(" ")}`);
  for (const device of present)
    for (const watts of plan.limits) line(`would set, while profiling:  ${device.describe(watts)}`);
  for (const device of present) line(`would put back:  ${device.describe(device.current)}`);
}

function report(context: CliContext, runs: readonly TunedRun[], { options }: Tuning): void {
  const settings = settingsSeen(runs);
  const front = paretoFront(settings);
  if (options.json === true) {
    const json = {
      schema: "godwit.tuning/1",
      runs: runs.map(({ batch, limit, seconds, joules, reached, profiles }) => ({
        ...{ batch, limit_w: limit, seconds, joules, reached },
        profiles: profiles.map((one) => ({
          ...{ limit_w: one.limit, seconds_per_mark: one.seconds, watts: one.watts },
        })),
      })),
      front: front.map(({ batch, limit, seconds, joules }) => ({
        ...{ batch, limit_w: Number.isNaN(limit) ? null : limit, seconds, joules },
      })),
      limits: "setting power limits is unverified on hardware",
    };
    context.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
    return;
  }
  const line = (text: string): void => void context.stderr.write(`${text}\n`);
  line("Settings that reached the target; * is beaten by none in both time and energy:");
  for (const one of settings) {
    const mark = front.some(
      ({ batch, limit }) => batch === one.batch && Object.is(limit, one.limit),
    );
    const limit = Number.isNaN(one.limit) ? "" : `, ${one.limit} W`;
    line(
      `${mark ? "*" : " "} batch size ${one.batch}${limit}: ${formatDuration(one.seconds)}, ` +
        `${formatQuantity(one.joules, "J")}, ${one.runs} ${one.runs === 1 ? "run" : "runs"}`,
    );
  }
}
