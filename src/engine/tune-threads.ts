// The number of threads that runs a model with the least energy, found by running it.
//
// Energy itself cannot be read in a few seconds on most machines. What is compared is its proxy: CPU
// seconds, which is what a busy core burns power for, plus a share of the elapsed time for what the
// machine draws while it waits (E = P_core x CPU time + P_idle x elapsed time, over P_core).

import { availableParallelism } from "node:os";
import { median, type Seconds, seconds } from "../core/index.ts";
import type { ModelSource } from "./model-source.ts";
import type { Feed } from "./port.ts";
import { createSession, type Session, type SessionOptions } from "./session.ts";

export interface TuneOptions extends Omit<SessionOptions, "threads"> {
  /** Default: 1, 2, 4 ... and all that the process may use. */
  readonly candidates?: readonly number[];
  /** Time to spend on measuring. Default: 2 s. */
  readonly budget?: Seconds;
  /** Latency that the choice must keep. Default: none. */
  readonly maxLatency?: Seconds;
  /**
   * Power that the machine draws for this work while it waits, as a share of the power of one busy
   * core. 0 where other work fills the machine or it stays on anyway (the default); above 1 on a
   * machine that is switched on for this alone.
   */
  readonly idleShare?: number;
}

export interface ThreadChoice {
  readonly threads: number;
  /** Whether the choice keeps `maxLatency`; the fastest is chosen when none does. */
  readonly keepsLatency: boolean;
  readonly rows: readonly ThreadRow[];
}

/** What one number of threads costs, for one run: medians over rounds. */
export interface ThreadRow {
  readonly threads: number;
  readonly latency: Seconds;
  /** CPU time of the whole process: nothing else may compute in it meanwhile. */
  readonly cpu: Seconds;
  /** The proxy of energy, in seconds of a busy core. */
  readonly cost: number;
  readonly rounds: number;
}

/** A round lasts about this long, so that the clock of CPU time (1 ms on some platforms) suffices. */
const ROUND = seconds(0.05);
/** Differences below this are noise: of such choices the one with fewer threads is taken. */
const TIE = 0.03;

/** Runs the model with each number of threads in turn and chooses. */
export async function tuneThreads(
  source: ModelSource,
  feeds: Readonly<Record<string, Feed>>,
  options: TuneOptions = {},
): Promise<ThreadChoice> {
  const { candidates = powersUpTo(availableParallelism()), budget = seconds(2) } = options;
  if (candidates.length === 0) throw new RangeError("no number of threads to try");
  const sessions: Session[] = [];
  try {
    for (const threads of candidates) {
      sessions.push(await createSession(source, { ...options, threads }));
    }
    const rounds = await measure(sessions, feeds, budget);
    const rows = candidates.map((threads, index) =>
      rowOf(threads, rounds[index] ?? [], options.idleShare ?? 0),
    );
    return choose(rows, options.maxLatency ?? null);
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

/** 1, 2, 4 ... and the limit itself. */
export function powersUpTo(limit: number): readonly number[] {
  const powers = Array.from({ length: Math.floor(Math.log2(limit)) + 1 }, (_, bit) => 2 ** bit);
  return [...new Set([...powers, limit])];
}

interface Round {
  readonly latency: number;
  readonly cpu: number;
}

/** Interleaved rounds, so that what disturbs the machine disturbs all alike. At least three. */
async function measure(
  sessions: readonly Session[],
  feeds: Readonly<Record<string, Feed>>,
  budget: Seconds,
): Promise<readonly (readonly Round[])[]> {
  const results: Round[][] = sessions.map(() => []);
  const end = performance.now() + budget * 1000;
  const counts: number[] = [];
  for (const session of sessions) counts.push(await runsPerRound(session, feeds));
  for (let round = 0; round < 3 || performance.now() < end; round++) {
    for (const [index, session] of sessions.entries()) {
      const count = counts[index] ?? 1;
      const [start, used] = [performance.now(), process.cpuUsage()];
      for (let run = 0; run < count; run++) await session.run(feeds);
      const { user, system } = process.cpuUsage(used);
      results[index]?.push({
        latency: (performance.now() - start) / 1000 / count,
        cpu: (user + system) / 1e6 / count,
      });
    }
  }
  return results;
}

/** Warms up, then counts how many runs make a round. */
async function runsPerRound(
  session: Session,
  feeds: Readonly<Record<string, Feed>>,
): Promise<number> {
  await session.run(feeds);
  const start = performance.now();
  await session.run(feeds);
  const took = (performance.now() - start) / 1000;
  return Math.max(1, Math.round(ROUND / Math.max(took, 1e-6)));
}

function rowOf(threads: number, rounds: readonly Round[], idleShare: number): ThreadRow {
  const latency = seconds(median(rounds.map((round) => round.latency)));
  const cpu = seconds(median(rounds.map((round) => round.cpu)));
  return { threads, latency, cpu, cost: cpu + idleShare * latency, rounds: rounds.length };
}

/** The cheapest that keeps the latency; near enough to it, the one with the fewest threads. */
export function choose(rows: readonly ThreadRow[], maxLatency: Seconds | null): ThreadChoice {
  const fitting = rows.filter(({ latency }) => maxLatency === null || latency <= maxLatency);
  if (fitting.length === 0) {
    const fastest = rows.toSorted((a, b) => a.latency - b.latency)[0];
    if (fastest === undefined) throw new RangeError("no number of threads to choose from");
    return { threads: fastest.threads, keepsLatency: false, rows };
  }
  const least = Math.min(...fitting.map(({ cost }) => cost));
  const threads = Math.min(
    ...fitting.filter(({ cost }) => cost <= least * (1 + TIE)).map((row) => row.threads),
  );
  return { threads, keepsLatency: true, rows };
}
