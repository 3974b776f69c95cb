// A job for other programs: units in the names, times in UTC, figures with their intervals.

import type { AnyFigure } from "../core/index.ts";
import { savingVerb } from "../systems/schedule/index.ts";
import { isHeld, type JobRecord, planOf } from "../systems/schedule/jobs/index.ts";

const utc = (moment: number | null): string | null =>
  moment === null ? null : new Date(moment * 1000).toISOString();

const figure = ({ value, low, high, method, source }: AnyFigure) => ({
  ...{ value, low, high, method, source },
});

/** The job as plain JSON. */
export function jobJson(record: JobRecord) {
  const own = planOf(record);
  return {
    schema: "godwit.job/1",
    id: record.id,
    name: record.name,
    tags: record.tags,
    command: record.command,
    cwd: record.cwd,
    engine: record.engine,
    external_id: record.externalId,
    state: record.state,
    held: isHeld(record),
    reason: record.reason,
    attempts: record.attempts,
    submitted_at: utc(record.submittedAt),
    started_at: utc(record.startedAt),
    ended_at: utc(record.endedAt),
    exit: record.exit,
    earliest: utc(record.job.earliest),
    deadline: utc(record.job.deadline),
    after: record.after,
    resources: {
      cpus: record.resources.cpus,
      memory_bytes: record.resources.memoryBytes,
      gpus: record.resources.gpus,
    },
    pid: record.process?.pid ?? null,
    ran: record.spans.map(({ start, end, seconds }) => ({
      ...{ start: utc(start), end: utc(end), seconds },
    })),
    plan: {
      planned_at: utc(record.plan.plannedAt),
      policy: record.plan.policy,
      runs: own.runs.map(({ start, end }) => ({ start: utc(start), end: utc(end) })),
      latest_start: utc(own.latestStart),
      expected_gco2e: figure(own.expected),
      started_at_once_gco2e: figure(own.counterfactual.emissions),
      saving_gco2e: figure(own.saving),
      saving_is: savingVerb(record.plan.kind),
      reasons: own.reasons,
      replans: record.replans,
    },
    signal: {
      ...{ zone: record.forecast.zone, kind: record.forecast.kind, basis: record.forecast.basis },
      ...{ source: record.forecast.source, issued_at: record.forecast.issued_at },
    },
    stdout: record.stdout,
    stderr: record.stderr,
    cards: record.cards,
  };
}
