// One execution of the measured command. The command comes first: whatever fails in measuring
// becomes a notice, and the command runs all the same.

import type { Card } from "../core/card.ts";
import { type Host, reasonOf } from "../core/index.ts";
import {
  countHelpers,
  createSubjectCounter,
  type SubjectCounter,
} from "../measure/run/cpu-time.ts";
import type { EpochMark } from "../measure/run/epochs.ts";
import {
  type CommandEnd,
  hangupIgnored,
  launch,
  type OwnSession,
  type RunningCommand,
  startSentinel,
} from "../measure/run/execute.ts";
import { type CpuGroupResult, createCpuGroup } from "../measure/run/execute-cgroup.ts";
import type { OutputWatch } from "../measure/run/execute-watch.ts";
import { forwardSignals } from "../measure/run/signals.ts";
import type { CliContext } from "./context.ts";
import type { RunPlan } from "./run-options.ts";

/** A measurement that is under way. */
interface Measurement {
  /** Variables that the command's environment gets besides. */
  readonly env: Readonly<Record<string, string>>;
  /** An epoch was seen in the output. */
  onEpoch(mark: EpochMark): void;
  /** The command has ended and was waited for. */
  finish(end: MeasuredEnd): Promise<Card>;
  /** The command could not be started: there was no run, so nothing of it is kept. */
  abandon(): Promise<void>;
}

export interface MeasuredEnd extends CommandEnd {
  /** The end was not the command's own: a signal that godwit saw, or a budget. */
  readonly interrupted: boolean;
}

/** Begins a measurement; what it needs of the command is in the counter. */
export type BeginMeasurement = (of: {
  readonly host: Host;
  readonly counter: SubjectCounter;
  /** Sends the command a signal, as a budget does. */
  readonly signal: (name: NodeJS.Signals) => void;
  readonly onNotice: (text: string) => void;
}) => Promise<Measurement>;

export interface Attempt {
  readonly end: MeasuredEnd;
  /** Null when nothing could be measured; the notices say why. */
  readonly card: Card | null;
  readonly notices: readonly string[];
}

/** Signals by which people and batch systems end a command. */
const INTERRUPTING: ReadonlySet<NodeJS.Signals> = new Set([
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
]);

export interface OnceOptions {
  readonly context: CliContext;
  readonly plan: RunPlan;
  /** Null for a warm-up run. */
  readonly begin: BeginMeasurement | null;
  /** Gives it outputs of its own, and runs it apart from godwit when it is a batch job. */
  readonly batch?: { readonly session?: OwnSession; readonly output: readonly [number, number] };
}

/** Runs the command once. Rejects only when it could not be started. */
export async function runOnce({ context, plan, begin, batch }: OnceOptions): Promise<Attempt> {
  const notices: string[] = [];
  const onNotice = (text: string): void => void notices.push(text);
  let running: RunningCommand | null = null;
  const signal = (name: NodeJS.Signals): void => {
    if (running !== null) sendQuietly(running.pid, name);
  };

  const group: CpuGroupResult =
    begin === null ? { status: "absent", reason: "a warm-up" } : createCpuGroup();
  const { host, helperSeconds } = countHelpers(context.host);
  const counter = await createSubjectCounter({ host, group, helperSeconds });
  const measurement =
    begin === null
      ? null
      : await begin({ host, counter, signal, onNotice }).catch((error: unknown) => {
          onNotice(`not measured: ${reasonOf(error)}`);
          return null;
        });
  const watch = await openWatch({ context, plan, measurement });
  notices.push(...(watch?.notices ?? []));

  const ignoreHangup = hangupIgnored(context.env);
  const sentinel = startSentinel();
  let interrupted = false;
  let onStart = (_: number): void => {};
  const started = new Promise<number>((resolve) => {
    onStart = resolve;
  });
  // Before the command starts: it may send signals, or cause some, as soon as it runs.
  const stopForwarding = forwardSignals({
    source: process,
    target: started,
    sentinel,
    ignoreHangup,
    onSignal: (name) => {
      if (name !== "SIGUSR1" && name !== "SIGUSR2") interrupted = true;
    },
  });
  try {
    const [command, ...args] = plan.command;
    running = await launch({
      command,
      args,
      env: { ...context.env, ...measurement?.env },
      ...(watch === null ? {} : { output: watch.output }),
      ...batch,
      inherited: context.inherited,
      group: group.status === "ready" ? group.group : null,
      ignoreHangup,
    }).catch(async (error: unknown) => {
      await abandon(measurement, watch);
      throw error;
    });
    onStart(running.pid);
    counter.follow(running.pid);
    watch?.started();
    const stopSettling = context.settle();
    const ended = await running.ended.finally(stopSettling);
    // A command that takes a signal and ends well was not interrupted by it. One that dies of it may
    // be seen to end before godwit's own copy of the signal is, so its end counts too.
    const cut = interrupted || (ended.signal !== null && INTERRUPTING.has(ended.signal));
    const end = { ...ended, interrupted: cut && ended.code !== 0 };
    const card = await finish(measurement, end, onNotice);
    await watch?.drained();
    return { end, card, notices };
  } finally {
    stopForwarding();
    sentinel.close();
    if (group.status === "ready") group.group.close();
  }
}

async function openWatch(options: {
  readonly context: CliContext;
  readonly plan: RunPlan;
  readonly measurement: Measurement | null;
}): Promise<OutputWatch | null> {
  const { context, plan, measurement } = options;
  if (plan.epochs === null || measurement === null) return null;
  const { watchOutput } = await import("../measure/run/execute-watch.ts");
  return watchOutput({
    pattern: plan.epochs.pattern,
    env: context.env,
    onEpoch: (mark) => measurement.onEpoch(mark),
  });
}

async function finish(
  measurement: Measurement | null,
  end: MeasuredEnd,
  onNotice: (text: string) => void,
): Promise<Card | null> {
  if (measurement === null) return null;
  try {
    return await measurement.finish(end);
  } catch (error) {
    onNotice(`not measured: ${reasonOf(error)}`);
    return null;
  }
}

/** Takes back what was prepared for a command that did not start; its own fault is what counts. */
async function abandon(measurement: Measurement | null, watch: OutputWatch | null): Promise<void> {
  watch?.started();
  await watch?.drained();
  await measurement?.abandon().catch(() => {});
}

function sendQuietly(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended meanwhile.
  }
}
