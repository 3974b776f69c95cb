// The job that `godwit plan` is asked about: declared on the command line, or learned from the ledger's
// runs of a name.

import type { Card } from "../core/card.ts";
import { exact, type Figure, UserError } from "../core/index.ts";
import type { TimeZone } from "../core/time-zone.ts";
import {
  type Duration,
  FREE_INTERRUPTION,
  fixedDuration,
  type Interruption,
  type Job,
  type LearnedJob,
  learnedJob,
  SIZE_TAG,
} from "../systems/schedule/index.ts";
import type { CliContext } from "./context.ts";
import { parseMoment } from "./moments.ts";
import { openForReading } from "./open-ledger.ts";
import { parseDuration, parsePower } from "./values.ts";

/** What was said on the command line about the job, as it was typed. */
export interface JobOptions {
  readonly duration?: string | undefined;
  readonly like?: string | undefined;
  readonly size?: number | undefined;
  readonly power?: string | undefined;
  readonly deadline: string;
  readonly earliest?: string | undefined;
  readonly interruptible?: true | undefined;
  readonly minRun?: string | undefined;
  readonly restart?: string | undefined;
  readonly ledger?: string | undefined;
}

/** The job in a yet unnamed zone, and where its duration and power come from. */
export interface AskedJob {
  readonly job: Omit<Job, "zones">;
  readonly durationSource: string;
}

/** Runs that are learned from, at most: older ones were of another program. */
const LEARNED_RUNS = 100;

/** Reads the job. Throws UserError for what contradicts itself or cannot be known. */
export async function askedJob(
  context: CliContext,
  options: JobOptions,
  at: { readonly now: number; readonly zone: TimeZone },
): Promise<AskedJob> {
  const { now } = at;
  const deadline = parseMoment("--deadline", options.deadline, { ...at, repeated: "first" });
  const earliest =
    options.earliest === undefined
      ? now
      : parseMoment("--earliest", options.earliest, { ...at, repeated: "second" });
  requireOrder({ now, earliest, deadline }, options);
  const declared =
    options.duration === undefined
      ? null
      : fixedDuration(parseDuration("--duration", options.duration));
  const power = options.power === undefined ? null : declaredPower(options.power);
  const learned = await learnedFrom(context, options);
  const { duration, source } = durationOf(declared, learned, options);
  return {
    job: {
      id: options.like ?? "the job",
      submittedAt: now,
      earliest: Math.max(now, earliest),
      deadline,
      duration,
      power: power ?? learnedPower(learned, options.like),
      interruptible: interruptionOf(options),
      scale: null,
      pinned: false,
    },
    durationSource: source,
  };
}

function requireOrder(
  { now, earliest, deadline }: Readonly<Record<"now" | "earliest" | "deadline", number>>,
  options: JobOptions,
): void {
  const utc = (moment: number): string => `${new Date(moment * 1000).toISOString().slice(0, 16)}Z`;
  if (deadline <= earliest && options.earliest !== undefined)
    throw new UserError(
      "usage",
      `--deadline ${utc(deadline)} is not after --earliest ${utc(earliest)}`,
      { hint: "Give a later deadline, or an earlier start." },
    );
  if (deadline <= now)
    throw new UserError("usage", `--deadline ${utc(deadline)} is over: now it is ${utc(now)}`, {
      hint: "Give one that is still to come, such as +18h or fri 9:00.",
    });
}

const declaredPower = (text: string): Figure<"W"> =>
  exact("W", parsePower("--power", text), { method: "declared", source: "--power" });

async function learnedFrom(context: CliContext, options: JobOptions): Promise<LearnedJob | null> {
  const { like, size = null } = options;
  if (like === undefined) {
    if (size === null || options.duration !== undefined) return null;
    throw new UserError("usage", "--size says something of earlier runs only", {
      hint: "Add --like NAME to learn the duration from runs of that name, or give --duration.",
    });
  }
  const ledger = await openForReading(context, options.ledger);
  try {
    const filter = { name: like, status: "complete", limit: LEARNED_RUNS } as const;
    const cards: Card[] = [];
    for await (const card of ledger.cards(filter)) cards.push(card);
    if (cards.length > 0) return learnedJob(cards, size);
    // Throws with the nearest name there is; a name of failed runs alone is found.
    await ledger.resolve(like);
    throw new UserError("invalid-input", `no run of ${like} was completed`, {
      hint: "Give --duration and --power instead.",
    });
  } finally {
    ledger.close();
  }
}

function durationOf(
  declared: Duration | null,
  learned: LearnedJob | null,
  { like, size }: JobOptions,
): { readonly duration: Duration; readonly source: string } {
  if (declared !== null) return { duration: declared, source: "declared" };
  if (learned === null)
    throw new UserError("usage", "how long does it take?", {
      hint: "Give --duration 4h, or --like NAME to learn it from the runs of that name.",
    });
  if (learned.duration !== null)
    return {
      duration: learned.duration,
      source: `learned from ${learned.runs} runs of ${like}${size === undefined ? "" : ", by their sizes"}`,
    };
  if (size !== undefined)
    throw new UserError("invalid-input", `${learned.runs} runs of ${like} tell their size`, {
      hint: `Three of at least two sizes are needed: give runs theirs with --tag ${SIZE_TAG}=NUMBER, or add --duration.`,
    });
  throw new UserError("invalid-input", `${like} was completed ${learned.runs} time only`, {
    hint: "Two runs are needed to know how far they vary: add --duration.",
  });
}

function learnedPower(learned: LearnedJob | null, like: string | undefined): Figure<"W"> {
  if (learned === null)
    throw new UserError("usage", "at what power does it run?", {
      hint: "Give --power 300W, or --like NAME to learn it from the runs of that name.",
    });
  if (learned.power !== null) return learned.power;
  throw new UserError("invalid-input", `the runs of ${like} have no energy`, {
    hint: "Add --power 300W.",
  });
}

function interruptionOf({ interruptible, minRun, restart }: JobOptions): Interruption | null {
  if (interruptible !== true) return null;
  return {
    ...FREE_INTERRUPTION,
    ...(minRun === undefined ? {} : { minimumRunS: parseDuration("--min-run", minRun) }),
    // Restarting takes time at the job's own power.
    ...(restart === undefined ? {} : { restartS: parseDuration("--restart", restart) }),
  };
}
