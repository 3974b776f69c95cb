// A plan for tests of what shows it: 4 h within a day, clean at noon, in a zone whose clocks are an hour
// ahead of UTC.

import { exact } from "../src/core/index.ts";
import { timeZone } from "../src/core/time-zone.ts";
import type { PlanView } from "../src/report/plan-words.ts";
import {
  ASSUMED_ERROR,
  advise,
  bestPolicyFor,
  fixedDuration,
  type Job,
  signal,
} from "../src/systems/schedule/index.ts";

/** Thursday 1 January 2026, 18:00 in Berlin. */
export const PLAN_NOW = Date.UTC(2026, 0, 1, 17) / 1000;

const HOUR = 3600;

/** The view of a plan; `changes` are those of its job, `name` stands wherever a name can. */
export function samplePlan(changes: Partial<Job> = {}, name = "DE"): PlanView {
  const forecast = signal({
    ...{ zone: name, kind: "average", basis: "location", step: HOUR, start: PLAN_NOW },
    ...{ issuedAt: PLAN_NOW, source: `forecast of ${name}` },
    values: Array.from({ length: 24 }, (_, at) =>
      Math.round(350 - 150 * Math.cos(((at - 17) * Math.PI) / 12)),
    ),
  });
  const job: Job = {
    ...{ id: name, submittedAt: PLAN_NOW, earliest: PLAN_NOW, deadline: PLAN_NOW + 24 * HOUR },
    duration: fixedDuration(4 * HOUR),
    power: exact("W", 300, { method: "declared", source: "--power" }),
    ...{ interruptible: null, scale: null, pinned: false },
    zones: [{ zone: name, bytes: 0, joulesPerByte: 0, startLatencyS: 0 }],
    ...changes,
  };
  const policy = bestPolicyFor(job);
  return {
    advice: advise(job, forecast, { now: PLAN_NOW, policy, error: ASSUMED_ERROR, threshold: 0 }),
    zone: timeZone("Europe/Berlin"),
    durationSource: `learned from 5 runs of ${name}`,
    notices: [],
  };
}
