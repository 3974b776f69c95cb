// The plan of a job that is being submitted: as `godwit plan` makes it, from the same options.

import { UserError } from "../core/index.ts";
import type { TimeZone } from "../core/time-zone.ts";
import type { Advice, Job } from "../systems/schedule/index.ts";
import type { CliContext } from "./context.ts";
import { adviceOn, decisionOf } from "./plan-advice.ts";
import { askedJob } from "./plan-job.ts";
import type { Prepared } from "./submit-engines.ts";
import type { SubmitOptions } from "./submit-options.ts";
import { parseDuration } from "./values.ts";

/** Advice on the job; nothing has been stored yet. Throws UserError for what cannot be. */
export async function adviceOnJob(
  context: CliContext,
  of: {
    readonly id: string;
    readonly prepared: Prepared;
    readonly options: SubmitOptions;
    /** Unix seconds; 0 for any time. */
    readonly notBefore: number;
    /** In which times are given. */
    readonly zone: TimeZone;
  },
): Promise<{ readonly advice: Advice; readonly durationSource: string }> {
  const { id, options, zone } = of;
  const now = Math.floor(context.host.wall() / 1000);
  const decision = decisionOf(options);
  const { job: asked, durationSource } = await jobOf(context, of, { now, zone });
  const job: Omit<Job, "zones"> = {
    ...asked,
    id,
    earliest: Math.max(asked.earliest, of.notBefore),
    pinned: options.pin === true,
    interruptible: withCheckpoint(asked.interruptible, options.checkpoint),
  };
  const { advice, chosen } = await adviceOn(context, decision, job, now);
  for (const notice of [...advice.plan.warnings, ...chosen.notices])
    context.stderr.write(`${notice}\n`);
  return { advice, durationSource };
}

/** What is not declared is learned from earlier runs: of the name that was given, or the job's own. */
async function jobOf(
  context: CliContext,
  { prepared, options }: { readonly prepared: Prepared; readonly options: SubmitOptions },
  at: Parameters<typeof askedJob>[2],
) {
  // A time limit is what the job was said to take at most.
  const { limitS } = prepared;
  const usesLimit = options.duration === undefined && options.like === undefined && limitS !== null;
  const duration = usesLimit ? `${limitS}s` : options.duration;
  const isDeclared = duration !== undefined && options.power !== undefined;
  const own = options.name ?? prepared.name;
  const like = options.like ?? (isDeclared ? undefined : own);
  try {
    const asked = await askedJob(context, { ...options, duration, like }, at);
    return usesLimit ? { ...asked, durationSource: "its time limit" } : asked;
  } catch (error) {
    const isUnknown =
      error instanceof UserError && ["invalid-input", "ledger"].includes(error.code);
    if (options.like !== undefined || isDeclared || !isUnknown) throw error;
    const missing = duration === undefined ? "how long does it take?" : "at what power?";
    throw new UserError("usage", `${missing} No earlier run of ${JSON.stringify(own)} says so`, {
      hint: "Give --duration 4h and --power 300W, or --like NAME to learn both from the runs of that name.",
      cause: error,
    });
  }
}

function withCheckpoint(of: Job["interruptible"], text: string | undefined): Job["interruptible"] {
  if (of === null || text === undefined) return of;
  return { ...of, checkpointS: parseDuration("--checkpoint", text) };
}
