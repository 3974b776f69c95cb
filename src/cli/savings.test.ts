// What jobs saved, judged by what their own service says that came.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { godwit } from "../../test/cli-session.ts";
import { createFakeHost, type FakeMachine } from "../../test/fake-host.ts";
import { sampleJob } from "../../test/sample-job.ts";
import { PLAN_NOW } from "../../test/sample-plan.ts";
import { type JobRecord, openJobStore } from "../systems/schedule/jobs/index.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "godwit-savings-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const HALF = 1800;

/** Great Britain's service: the half-hours that begin in the time that is asked for. */
function service(asked: string[]): FakeMachine["http"] {
  return (url) => {
    asked.push(url);
    const [, from = "", to = ""] = /\/intensity\/([^/]+)\/([^/]+)$/.exec(url) ?? [];
    const [start, end] = [Date.parse(from) / 1000, Date.parse(to) / 1000];
    const utc = (at: number): string => `${new Date(at * 1000).toISOString().slice(0, 16)}Z`;
    const data = Array.from({ length: Math.ceil((end - start) / HALF) }, (_, at) => {
      const begin = start + at * HALF;
      // 400 g/kWh for the first four hours from the submission on, then 100.
      const actual = begin < PLAN_NOW + 8 * HALF ? 400 : 100;
      const intensity = { forecast: 250, actual };
      return { from: utc(begin), to: utc(begin + HALF), intensity };
    });
    return { status: 200, headers: {}, body: JSON.stringify({ data }) };
  };
}

test("a job that was planned by a service is judged by its record, up to the minute it ended", async () => {
  const store = await openJobStore(join(cwd, ".godwit"));
  const sample = sampleJob();
  // Neither its end nor its deadline is on the half-hour.
  const [begin, end] = [PLAN_NOW + 5 * 3600 + 420, PLAN_NOW + 9 * 3600 + 1020];
  const job = { ...sample.job, deadline: PLAN_NOW + 24 * 3600 + 700 };
  const source = { ...sample.planning.source, signal: null, zone: "GB", from: "uk" };
  const done: JobRecord = {
    ...{ ...sample, job, planning: { ...sample.planning, source } },
    ...{ state: "done", startedAt: begin, endedAt: end, exit: { code: 0, signal: null } },
    spans: [{ start: begin, end, seconds: end - begin }],
  };
  await store.add(done, null);
  store.close();

  const asked: string[] = [];
  const http = service(asked);
  const savings = async (hoursLater: number) => {
    const host = createFakeHost(http === undefined ? {} : { http });
    host.jumpWall(1000 * PLAN_NOW - host.wall() + hoursLater * 3_600_000);
    const env = { XDG_CACHE_HOME: join(cwd, "cache") };
    const { out } = await godwit(["savings", "--json"], { cwd, host, env });
    return JSON.parse(out).jobs[0];
  };
  // 300 W over the time it ran: from hour 5 on at 100, from the submission on for four hours at 400.
  const early = await savings(10);
  expect(early.trace).toMatchObject({ kind: "recorded", signal: "average" });
  const kilowattHours = (0.3 * (end - begin)) / 3600;
  expect(early.realised_gco2e.value).toBeCloseTo(100 * kilowattHours, 6);
  const late = (end - begin - 4 * 3600) / (end - begin);
  const atOnce = (400 * (1 - late) + 100 * late) * kilowattHours;
  expect(early.started_at_once_gco2e.value).toBeCloseTo(atOnce, 6);
  expect(early.oracle_saving_gco2e).toBeNull();
  // Once the deadline is over, the record up to it is kept with the job and not asked for again.
  const later = await savings(25);
  expect(later.oracle_saving_gco2e).toBeCloseTo(atOnce - 100 * kilowattHours, 6);
  const count = asked.length;
  expect(await savings(26)).toEqual(later);
  expect(asked).toHaveLength(count);
});
