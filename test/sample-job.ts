// The record of a job for tests: 4 h within a day, planned on the sample forecast.

import { type JobRecord, signalToJson } from "../src/systems/schedule/jobs/index.ts";
import { PLAN_NOW, samplePlan } from "./sample-plan.ts";

/** A waiting job; `changes` replace what the record says. */
export function sampleJob(changes: Partial<JobRecord> = {}): JobRecord {
  const { advice } = samplePlan(changes.job ?? {});
  const id = changes.id ?? "1k9x3f2ab-m4x7cd";
  const { plan, forecast, job } = advice;
  const first = { ...plan, jobs: plan.jobs.map((one) => ({ ...one, id })) };
  return {
    ...{ schema: "godwit.job/1", id, name: "train", tags: {} },
    ...{ command: ["python", "train.py"], cwd: "/tmp", environment: "bare", user: null },
    ...{ job: { ...job, id }, durationSource: "declared" },
    resources: { cpus: 1, memoryBytes: 0, gpus: 0, nodes: 1 },
    ...{ after: [], pausing: null },
    planning: {
      policy: plan.policy,
      threshold: 0,
      error: advice.options.error,
      source: {
        ...{ signal: "/nowhere/forecast.json", zone: null, from: null, kind: null, basis: null },
        ...{ offline: false, forecaster: null },
      },
    },
    ...{ engine: "local", externalId: null, engineData: {} },
    ...{ state: "waiting", reason: "planned", cancelAsked: false, attempts: 0 },
    ...{ submittedAt: PLAN_NOW, startedAt: null, endedAt: null, exit: null, spans: [] },
    ...{ supervisor: null, process: null, stdout: "/tmp/out", stderr: "/tmp/err" },
    ...{ plan: first, forecast: signalToJson(forecast) },
    ...{ firstPlan: first, firstForecast: signalToJson(forecast), replans: 0, cards: [] },
    ...changes,
  };
}
