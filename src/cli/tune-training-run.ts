// One coming of a tuned training: run under the meter, its output searched for progress and metric, its power
// limits profiled as it goes, stopped when it costs too much.

import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Card } from "../core/card.ts";
import { reasonOf } from "../core/index.ts";
import {
  chosenLimit,
  costOf,
  type LimitGuard,
  marked,
  type NextRun,
  newProfiler,
  type Preference,
  type TunedRun,
} from "../systems/tune/index.ts";
import type { CliContext } from "./context.ts";
import { type BeginMeasurement, runOnce } from "./run-once.ts";
import { planOf, runOptions } from "./run-options.ts";
import type { TuneOptions, TunePlan } from "./tune-training-options.ts";
import { followOutput, numberIn } from "./tune-training-output.ts";

const POLL_MS = 100;

export interface TunedOutcome {
  readonly run: TunedRun;
  readonly card: Card | null;
  /** Why godwit ended it, if it did. */
  readonly stopped: string | null;
}

export interface RunSetting {
  readonly plan: TunePlan;
  readonly options: TuneOptions;
  readonly next: NextRun;
  readonly preference: Preference;
  readonly guard: LimitGuard | null;
  /** Folder of the outputs. */
  readonly folder: string;
  readonly ledger: string | undefined;
  readonly say: (text: string) => void;
}

/** Runs it. The limits are the caller's to put back. */
export async function runTuned(context: CliContext, setting: RunSetting): Promise<TunedOutcome> {
  const { plan, options, next, folder } = setting;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const log = join(folder, `${context.host.wall().toString(36)}.log`);
  const output = openSync(log, "a", 0o600);
  const course = courseOf(context, setting);
  const out = options.json === true ? context.stderr : context.stdout;
  const follower = followOutput(log, { text: (bytes) => out.write(bytes), line: course.line });
  try {
    await course.begin();
    const words = plan.command.map((word) => word.replaceAll("{batch}", String(next.batch)));
    const ending = new AbortController();
    const following = follow(context, {
      poll: () => follower.poll(),
      course,
      signal: ending.signal,
    });
    const { end, card } = await runOnce({
      context,
      plan: runPlanOf(context, setting, words),
      begin: await course.measured(words),
      batch: { output: [output, output] },
    }).finally(() => ending.abort());
    await following;
    follower.poll();
    return course.outcome(end.code === 0 && !end.interrupted, card);
  } finally {
    follower.close();
    closeSync(output);
  }
}

function runPlanOf(
  context: CliContext,
  { plan, next, ledger }: RunSetting,
  words: readonly string[],
) {
  const args = [`--name=${plan.name}`, "--quiet", "--", ...words];
  const base = planOf(words, runOptions().parse(args, { from: "user" }).opts(), context);
  const tags = { tune: plan.name, "tune.batch": String(next.batch) };
  return { ...base, tags, ledger: ledger ?? null };
}

async function follow(
  { host }: CliContext,
  of: {
    readonly poll: () => void;
    readonly course: Pick<Course, "check">;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  while (!of.signal.aborted) {
    of.poll();
    await of.course.check();
    await host.sleep(POLL_MS, of.signal).catch(() => {});
  }
}

interface Course {
  begin(): Promise<void>;
  measured(words: readonly string[]): Promise<BeginMeasurement | null>;
  line(line: string): void;
  /** Works off what the lines brought, and ends the run when it costs too much. */
  check(): Promise<void>;
  outcome(endedWell: boolean, card: Card | null): TunedOutcome;
}

/** What happens in a run, step by step. */
function courseOf(context: CliContext, setting: RunSetting): Course {
  const { plan, options, next, preference, guard, say } = setting;
  const { metricPattern, progressPattern, target, lower } = options;
  const { slowdown } = plan.choice;
  const seconds = (): number => Number(context.host.monotonic()) / 1e9;
  let profiler = newProfiler(guard === null || next.profiles.length > 0 ? [] : plan.limits);
  let [start, used, limit, marks]: [number, number | null, number | null, number] = [
    seconds(),
    null,
    null,
    0,
  ];
  let reachedAt: { seconds: number; joules: number | null } | null = null;
  let stopped: string | null = null;
  let stop: (() => void) | null = null;
  let base: number | null = null;

  async function joules(): Promise<number | null> {
    const read = await Promise.all((guard?.devices ?? []).map((device) => device.joules()));
    return read.length === 0 || read.includes(null)
      ? null
      : read.reduce<number>((sum, one) => sum + (one ?? 0), 0);
  }

  async function hold(watts: number): Promise<void> {
    if (guard === null || watts === limit) return;
    await guard.set(watts);
    limit = watts;
    say(`power limit ${watts} W`);
  }

  function end(why: string): void {
    if (stopped !== null) return;
    stopped = why;
    say(`stopping the run: ${why}`);
    stop?.();
  }

  async function advance(): Promise<void> {
    if (used === null || profiler.left.length === 0) return;
    const mark = { seconds: seconds() - start, joules: used };
    profiler = marked(profiler, mark, { marks: 1, seconds: options.slice });
    const [wanted] = profiler.left;
    const [known] = profiler.profiles;
    if (wanted !== undefined) return hold(wanted);
    if (known === undefined) return;
    await hold(chosenLimit(preference, profiler.profiles, slowdown).limit);
  }

  return {
    async begin() {
      const [first] = next.profiles;
      if (first !== undefined) await hold(chosenLimit(preference, next.profiles, slowdown).limit);
      else if (profiler.left[0] !== undefined) await hold(profiler.left[0]);
      base = await joules();
      start = seconds();
    },
    async measured() {
      try {
        const { prepareMeasuring } = await import("./run-measuring.ts");
        const plan = runPlanOf(context, setting, ["train"]);
        const { begin } = await prepareMeasuring(context, plan);
        return async (of) => {
          stop = () => of.signal("SIGTERM");
          return begin(of);
        };
      } catch (error) {
        say(`not measured: ${reasonOf(error)}`);
        return null;
      }
    },
    line(line) {
      if (progressPattern?.test(line) === true) marks += 1;
      const value = metricPattern === undefined ? null : numberIn(line, metricPattern);
      if (value === null || target === undefined || reachedAt !== null) return;
      if (lower === true ? value > target : value < target) return;
      reachedAt = { seconds: seconds() - start, joules: used };
      say(`target reached after ${reachedAt.seconds.toFixed(1)} s: ${value}`);
      if (options.stopAtTarget === true) end("it has reached its target");
    },
    async check() {
      const now = await joules();
      used = now === null || base === null ? null : now - base;
      for (; marks > 0; marks -= 1) {
        const before = limit;
        await advance();
        // Further marks of this look were made under the limit before.
        if (limit !== before) marks = 1;
      }
      const spent = costOf(preference, seconds() - start, used ?? 0);
      if (reachedAt === null && spent > next.allowance) end("it costs more than it may");
    },
    outcome(endedWell, card) {
      const reached = metricPattern === undefined ? endedWell : reachedAt !== null;
      const whole = card?.measures.duration.value ?? seconds() - start;
      const time = reachedAt?.seconds ?? whole;
      const headline =
        card?.measures.energy?.[card.boundary.headline] ?? card?.measures.energy?.gross;
      // Without a reading at that moment, energy is taken as spread evenly over the run.
      const share = ((headline?.value ?? 0) * Math.min(time, whole)) / whole;
      const energy = reachedAt?.joules ?? used ?? share;
      const { batch } = next;
      const run = {
        batch,
        limit,
        seconds: time,
        joules: energy,
        reached,
        profiles: profiler.profiles,
      };
      return { run, card, stopped };
    },
  };
}
