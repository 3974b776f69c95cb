// The plan of a job that is being submitted: as `godwit plan` makes it, from the same options.

import { UserError } from "../core/index.ts";
import { timeZone } from "../core/time-zone.ts";
import {
  type Advice,
  ASSUMED_ERROR,
  advise,
  bestPolicyFor,
  declaredError,
  errorOnRecord,
  forecasterNamed,
  type Job,
  policyNamed,
} from "../systems/schedule/index.ts";
import type { CliContext } from "./context.ts";
import { askedJob } from "./plan-job.ts";
import { chosenSignal, requireSource } from "./plan-signal.ts";
import type { Prepared } from "./submit-engines.ts";
import type { SubmitOptions } from "./submit-options.ts";
import { parseDuration, parseShare } from "./values.ts";

/** Advice on the job; nothing has been stored yet. Throws UserError for what cannot be. */
export async function adviceOnJob(
  context: CliContext,
  of: {
    readonly id: string;
    readonly prepared: Prepared;
    readonly options: SubmitOptions;
    /** Unix seconds; 0 for any time. */
    readonly notBefore: number;
  },
): Promise<{ readonly advice: Advice; readonly durationSource: string }> {
  const { id, options } = of;
  const now = Math.floor(context.host.wall() / 1000);
  const zone = timeZone(context.host.facts.timeZone);
  requireSource(options);
  const forecaster = options.forecaster === undefined ? null : forecasterNamed(options.forecaster);
  const named = options.policy === undefined ? null : policyNamed(options.policy);
  const threshold = parseShare("--threshold", options.threshold);
  const stated =
    options.error === undefined ? null : declaredError(parseShare("--error", options.error));
  const { job: asked, durationSource } = await jobOf(context, of, { now, zone });
  const chosen = await chosenSignal(context, options, { now, until: asked.deadline }, forecaster);
  const job: Job = {
    ...asked,
    id,
    earliest: Math.max(asked.earliest, of.notBefore),
    pinned: options.pin === true,
    interruptible: withCheckpoint(asked.interruptible, options.checkpoint),
    zones: [{ zone: chosen.forecast.zone, bytes: 0, joulesPerByte: 0, startLatencyS: 0 }],
  };
  const policy = named ?? bestPolicyFor(job);
  const onRecord =
    chosen.record === null || forecaster === null
      ? null
      : errorOnRecord(chosen.record, forecaster, { job, policy, now });
  const error = stated ?? onRecord ?? ASSUMED_ERROR;
  const { beside } = chosen;
  const advice = advise(job, chosen.forecast, { now, policy, error, threshold, beside });
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
