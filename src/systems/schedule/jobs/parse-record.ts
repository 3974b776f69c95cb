// A job's record from its text. What another hand wrote into the file does not get into a process's
// command line unseen: everything that is acted on is checked.

import { z } from "zod";
import { UserError } from "../../../core/index.ts";
import type { JobRecord } from "./record.ts";

const moment = z.number();
const words = z.tuple([z.string()], z.string());
const signalJson = z.looseObject({
  schema: z.literal("godwit.signal/1"),
  zone: z.string(),
  kind: z.enum(["average", "marginal"]),
  basis: z.enum(["location", "market"]),
  issued_at: z.string(),
  start: z.string(),
  step_s: z.number().positive(),
  values_gco2e_per_kwh: z.array(z.number()).min(1),
  source: z.string(),
});
const figure = z.looseObject({ value: z.number(), low: z.number(), high: z.number() });
const run = z.looseObject({ start: moment, end: moment });
const plan = z.looseObject({
  schema: z.literal("godwit.plan/1"),
  plannedAt: moment,
  policy: z.string(),
  kind: z.enum(["average", "marginal"]),
  basis: z.enum(["location", "market"]),
  jobs: z
    .array(
      z.looseObject({
        id: z.string(),
        runs: z.array(run).min(1),
        latestStart: moment,
        expected: figure,
        saving: figure,
      }),
    )
    .length(1),
});
const processIdentity = z.object({
  pid: z.int().positive(),
  pidStart: z.string().nullable(),
});
const job = z.looseObject({
  id: z.string(),
  submittedAt: moment,
  earliest: moment,
  deadline: moment,
  duration: z.array(z.object({ p: z.number(), seconds: z.number().positive() })).min(1),
  power: figure,
  interruptible: z.looseObject({ minimumRunS: z.number() }).nullable(),
  zones: z.array(z.looseObject({ zone: z.string(), startLatencyS: z.number() })).min(1),
  pinned: z.boolean(),
});
const source = z.object({
  signal: z.string().nullable(),
  zone: z.string().nullable(),
  from: z.string().nullable(),
  kind: z.enum(["average", "marginal"]).nullable(),
  basis: z.enum(["location", "market"]).nullable(),
  offline: z.boolean(),
  forecaster: z.string().nullable(),
});

const RECORD = z.looseObject({
  schema: z.literal("godwit.job/1"),
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/),
  name: z.string(),
  tags: z.record(z.string(), z.string()),
  command: words,
  cwd: z.string().startsWith("/"),
  environment: z.enum(["submitter", "bare"]),
  user: z.int().nullable(),
  job,
  resources: z.looseObject({
    cpus: z.number().nonnegative(),
    memoryBytes: z.number().nonnegative(),
    gpus: z.int().nonnegative(),
    nodes: z.int().positive(),
  }),
  after: z.array(z.string()),
  pausing: z
    .discriminatedUnion("kind", [
      z.object({ kind: z.literal("stop") }),
      z.object({ kind: z.literal("checkpoint"), command: words }),
    ])
    .nullable(),
  planning: z.looseObject({
    policy: z.string(),
    threshold: z.number(),
    error: z.looseObject({ typical: z.number() }),
    source,
  }),
  engine: z.enum(["local", "slurm"]),
  externalId: z.string().nullable(),
  engineData: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
  state: z.enum(["waiting", "starting", "running", "paused", "done", "failed", "cancelled"]),
  reason: z.string(),
  cancelAsked: z.boolean(),
  attempts: z.int().nonnegative(),
  submittedAt: moment,
  startedAt: moment.nullable(),
  endedAt: moment.nullable(),
  exit: z.object({ code: z.int().nullable(), signal: z.string().nullable() }).nullable(),
  spans: z.array(
    z.object({ start: moment, end: moment.nullable(), seconds: z.number().nullable() }),
  ),
  supervisor: processIdentity.nullable(),
  process: processIdentity.nullable(),
  stdout: z.string(),
  stderr: z.string(),
  plan,
  forecast: signalJson,
  firstPlan: plan,
  firstForecast: signalJson,
  replans: z.int().nonnegative(),
  cards: z.array(z.string()),
  trace: signalJson.optional(),
});

/** The record of a job. Throws UserError, naming the job, when its text is not one. */
export function parseJobRecord(text: string, id: string): JobRecord {
  // Compiling the checks takes as long as hundreds of records do without; a command reads few.
  const parsed = RECORD.safeParse(jsonOf(text), { jitless: true });
  if (parsed.success && parsed.data.id === id) return parsed.data as unknown as JobRecord;
  const issue = parsed.success ? undefined : parsed.error.issues[0];
  const what = issue === undefined ? "its id" : `${issue.path.join(".")}: ${issue.message}`;
  throw new UserError("ledger", `the record of job ${id} is damaged (${what})`, {
    hint: "It is left as it is and is not run. Submit the job again.",
    cause: parsed.error,
  });
}

/** What a text says, or null when it is not JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
