// What it would have saved to let idle nodes sleep, by replaying when they had work. Placement stays as it
// was: a job that found its nodes asleep is taken to wait for their boot, not to have gone elsewhere, so
// delays are upper bounds and savings those of the history's own placement.
//
// Energy of a gap of g seconds with SuspendTime T (slurm.conf(5)): idle x g when g <= T; else idle x T +
// sleep x (g - T) + boot, the boot only when work follows. Never sleeping is the baseline: idle x g.

import { createRandom, type Figure, figure, quantile } from "../../../core/index.ts";
import type { NodeUse } from "./read-history.ts";

/** What nodes draw; each declared, with its source. */
export interface NodePower {
  readonly idle: Figure<"W">;
  readonly asleep: Figure<"W">;
  /** Going down and coming up, beyond what the job itself takes. */
  readonly boot: Figure<"J">;
  /** From the wish to the first work, seconds. */
  readonly bootS: number;
}

/** A replay of one node. */
export interface NodeReplay {
  readonly node: string;
  /** Joules while idle, with and without sleep, by day of the history. */
  readonly usual: readonly number[];
  readonly slept: readonly number[];
  readonly wakes: number;
  /** Jobs that waited for it. */
  readonly delayed: ReadonlySet<string>;
}

export interface Window {
  /** Unix seconds. */
  readonly from: number;
  readonly to: number;
}

const DAY_S = 86_400;

/** Jobs of each node, in their order. */
function byNode(uses: readonly NodeUse[]): (node: string) => readonly NodeUse[] {
  const own = new Map<string, NodeUse[]>();
  for (const use of uses)
    for (const node of use.nodes) {
      const list = own.get(node);
      if (list === undefined) own.set(node, [use]);
      else list.push(use);
    }
  return (node) => own.get(node) ?? [];
}

/** Gaps of a node between its jobs, and the job that ended each. */
function gapsOf(uses: readonly NodeUse[], { from, to }: Window) {
  const gaps: { readonly start: number; readonly end: number; readonly next: string | null }[] = [];
  let freeSince = from;
  for (const { job, start, end } of uses) {
    if (end <= from || start >= to) continue;
    if (start > freeSince) gaps.push({ start: freeSince, end: start, next: job });
    freeSince = Math.max(freeSince, end);
  }
  if (to > freeSince) gaps.push({ start: freeSince, end: to, next: null });
  return gaps;
}

/** One node with a SuspendTime. `uses` are its own, and ascend by start. */
export function replayNode(
  node: string,
  of: {
    readonly uses: readonly NodeUse[];
    readonly window: Window;
    readonly power: NodePower;
    readonly suspendS: number;
  },
): NodeReplay {
  const { uses, window, power, suspendS } = of;
  const days = Math.max(1, Math.ceil((window.to - window.from) / DAY_S));
  const usual = new Array<number>(days).fill(0);
  const slept = new Array<number>(days).fill(0);
  const delayed = new Set<string>();
  let wakes = 0;
  const spend = (into: number[], start: number, end: number, watts: number): void => {
    for (let at = start; at < end; ) {
      const day = Math.floor((at - window.from) / DAY_S);
      const until = Math.min(end, window.from + (day + 1) * DAY_S);
      into[day] = (into[day] ?? 0) + watts * (until - at);
      at = until;
    }
  };
  for (const { start, end, next } of gapsOf(uses, window)) {
    spend(usual, start, end, power.idle.value);
    const down = start + suspendS;
    spend(slept, start, Math.min(end, down), power.idle.value);
    if (end <= down) continue;
    spend(slept, down, end, power.asleep.value);
    if (next === null) continue;
    const day = Math.min(days - 1, Math.floor((end - window.from) / DAY_S));
    slept[day] = (slept[day] ?? 0) + power.boot.value;
    wakes++;
    delayed.add(next);
  }
  return { node, usual, slept, wakes, delayed };
}

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0);
const savedOf = ({ usual, slept }: NodeReplay): number => sum(usual) - sum(slept);

/** A choice of SuspendTime and of the nodes that may sleep. */
export interface SleepChoice {
  readonly suspendS: number;
  readonly sleepers: readonly NodeReplay[];
}

export interface SleepOptions {
  readonly nodes: readonly string[];
  readonly uses: readonly NodeUse[];
  readonly window: Window;
  readonly power: NodePower;
  /** Largest share of jobs that may wait for a boot. */
  readonly maxDelayed: number;
  /** SuspendTimes to try, seconds. */
  readonly suspendTimes: readonly number[];
}

/**
 * The choice that saves most while no more than a share of the jobs waits. For each time nodes are taken
 * in order of joules saved for each job that is made to wait; null when nothing saves.
 */
export function chooseSleep(options: SleepOptions): SleepChoice | null {
  const { nodes, uses, window, power, maxDelayed } = options;
  const jobs = new Set(uses.map(({ job }) => job)).size;
  const usesOf = byNode(uses);
  let best: { readonly choice: SleepChoice; readonly saved: number } | null = null;
  for (const suspendS of options.suspendTimes) {
    const replays = nodes
      .map((node) => replayNode(node, { uses: usesOf(node), window, power, suspendS }))
      .filter((replay) => savedOf(replay) > 0)
      .sort((a, b) => savedOf(b) / (1 + b.delayed.size) - savedOf(a) / (1 + a.delayed.size));
    const sleepers: NodeReplay[] = [];
    let delayed = new Set<string>();
    for (const replay of replays) {
      const together = new Set([...delayed, ...replay.delayed]);
      if (together.size > maxDelayed * jobs) continue;
      sleepers.push(replay);
      delayed = together;
    }
    const saved = sum(sleepers.map(savedOf));
    if (saved > (best?.saved ?? 0)) best = { choice: { suspendS, sleepers }, saved };
  }
  return best?.choice ?? null;
}

/** A choice judged: against never sleeping, with how far days differ. */
export interface SleepAdvice {
  readonly suspendS: number;
  readonly sleepers: readonly string[];
  /** Idle energy of all nodes when none sleeps, over the window. */
  readonly baseline: Figure<"J">;
  /** What sleeping saves of it, over the window. */
  readonly saved: Figure<"J">;
  /**
   * The same where it was not chosen: chosen on the first half of the days, replayed on the second; joules
   * for each day. Null with fewer than four days.
   */
  readonly savedPerDayHeldOut: number | null;
  readonly wakes: number;
  readonly delayedJobs: number;
  readonly jobs: number;
}

/** The best choice on a history, judged; null when nothing saves within the limits. */
export function adviseSleep(options: SleepOptions): SleepAdvice | null {
  const choice = chooseSleep(options);
  if (choice === null) return null;
  const { uses, window, power, nodes } = options;
  const { suspendS, sleepers } = choice;
  const usesOf = byNode(uses);
  const all = nodes.map((node) =>
    replayNode(node, { uses: usesOf(node), window, power, suspendS }),
  );
  const days = (sleepers[0]?.usual ?? []).map((_, day) =>
    sum(sleepers.map(({ usual, slept }) => (usual[day] ?? 0) - (slept[day] ?? 0))),
  );
  const source = "replay of the cluster's accounting with declared node power";
  const usual = sum(all.map((replay) => sum(replay.usual)));
  const origin = { method: "estimated", source } as const;
  // All nodes are idle at their declared power: its own interval carries over.
  const scale = usual / power.idle.value;
  return {
    suspendS,
    sleepers: sleepers.map(({ node }) => node),
    baseline: figure(
      "J",
      usual,
      { low: scale * power.idle.low, high: scale * power.idle.high },
      origin,
    ),
    saved: figure("J", sum(days), bootstrapped(days), origin),
    savedPerDayHeldOut: heldOut(options),
    wakes: sum(sleepers.map(({ wakes }) => wakes)),
    delayedJobs: new Set(sleepers.flatMap(({ delayed }) => [...delayed])).size,
    jobs: new Set(uses.map(({ job }) => job)).size,
  };
}

const RESAMPLES = 1000;

/** 5 % and 95 % points of the sum over days drawn with replacement. */
function bootstrapped(days: readonly number[]): { readonly low: number; readonly high: number } {
  const random = createRandom(1);
  const sums = Array.from({ length: RESAMPLES }, () =>
    sum(days.map(() => days[Math.floor(random.uniform() * days.length)] ?? 0)),
  ).sort((a, b) => a - b);
  const total = sum(days);
  return {
    low: Math.min(total, quantile(sums, 0.05)),
    high: Math.max(total, quantile(sums, 0.95)),
  };
}

function heldOut(options: SleepOptions): number | null {
  const { from, to } = options.window;
  if (to - from < 4 * DAY_S) return null;
  const middle = from + DAY_S * Math.floor((to - from) / DAY_S / 2);
  const choice = chooseSleep({ ...options, window: { from, to: middle } });
  if (choice === null) return 0;
  const { power } = options;
  const { suspendS } = choice;
  const usesOf = byNode(options.uses);
  const replays = choice.sleepers.map(({ node }) =>
    replayNode(node, { uses: usesOf(node), window: { from: middle, to }, power, suspendS }),
  );
  return sum(replays.map(savedOf)) / ((to - middle) / DAY_S);
}
