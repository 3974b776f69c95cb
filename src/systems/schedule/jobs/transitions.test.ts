// Single changes: who may make them, and what is counted.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sampleJob } from "../../../../test/sample-job.ts";
import { fits, latestStarts, type Pending, roomLeft } from "./capacity.ts";
import { doneSeconds, remainingSeconds } from "./progress.ts";
import type { JobRecord } from "./record.ts";
import { begin, cancel, claim, finish, goOn, handOver, pause } from "./transitions.ts";

const at = (now: number, monotonicS = now) => ({ now, monotonicS });
const one = { pid: 10, pidStart: "boot:1" };
const two = { pid: 11, pidStart: "boot:2" };

const apply = (record: JobRecord, ...changes: ReturnType<typeof handOver>[]): JobRecord =>
  changes.reduce(
    (now, change) => change(now)?.record ?? expect.fail("the change did not apply"),
    record,
  );

const STOPS = sampleJob({ pausing: { kind: "stop" } });

describe("an attempt", () => {
  const started = apply(STOPS, handOver("as planned"));

  test("is one supervisor's", () => {
    const claimed = apply(started, claim(1, one));
    expect(claim(1, two)(claimed)).toBeNull();
    expect(claim(2, two)(started)).toBeNull();
    expect(handOver("again")(claimed)).toBeNull();
  });

  test("does not begin once somebody asked for its end", () => {
    const asked = apply(started, claim(1, one), cancel(at(5)));
    expect(asked.state).toBe("starting");
    expect(begin(1, two, at(6))(asked)).toBeNull();
  });

  test("of which the end was told is not told again", () => {
    const ended = apply(started, claim(1, one), begin(1, two, at(0)), finish(1, OK, at(9), "card"));
    expect(ended).toMatchObject({ state: "done", cards: ["card"] });
    expect(finish(1, { code: 1, signal: null }, at(10), "other")(ended)).toBeNull();
    expect(cancel(at(11))(ended)).toBeNull();
  });

  test("of long ago tells nothing about this one", () => {
    const again = { ...apply(started, claim(1, one)), attempts: 2 };
    expect(finish(1, OK, at(9), null)(again)).toBeNull();
  });
});

const OK = { code: 0, signal: null };

test("progress is counted by the clock that nobody sets", () => {
  const running = apply(STOPS, handOver(""), claim(1, one), begin(1, two, at(1000, 0)));
  // The clock on the wall is set back by 500 s in the first stretch and ahead in the second.
  const paused = apply(running, pause("", at(600, 100)));
  const resumed = apply(paused, goOn("", at(2000, 200)));
  expect(doneSeconds(paused, at(600, 100))).toBe(100);
  expect(doneSeconds(resumed, at(99_000, 250))).toBe(150);
  expect(remainingSeconds(resumed, at(99_000, 250))).toBe(4 * 3600 - 150);
});

describe("latest starts", () => {
  const pending = fc.array(
    fc.record({
      seconds: fc.integer({ min: 1, max: 20 }),
      deadline: fc.integer({ min: 20, max: 100 }),
      cpus: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 1, maxLength: 8 },
  );
  const capacity = { jobs: 3, cpus: 4, memoryBytes: 0, gpus: 0 };

  test("keep every deadline and the room there is", () => {
    fc.assert(
      fc.property(pending, (asked) => {
        const jobs = asked.map(
          ({ cpus, ...rest }, index): Pending => ({
            ...{ ...rest, id: String(index), after: index > 0 && index % 3 === 0 ? ["0"] : [] },
            resources: { cpus, memoryBytes: 0, gpus: 0, nodes: 1 },
          }),
        );
        const starts = latestStarts(jobs, capacity);
        const placed = jobs.map((job) => ({ ...job, start: starts.get(job.id) ?? NaN }));
        for (const job of placed) {
          expect(job.start + job.seconds).toBeLessThanOrEqual(job.deadline);
          for (const id of job.after)
            expect(
              (starts.get(id) ?? NaN) + (jobs[Number(id)]?.seconds ?? NaN),
            ).toBeLessThanOrEqual(job.start);
          const beside = placed.filter(
            ({ start, seconds }) => start <= job.start && start + seconds > job.start,
          );
          const left = roomLeft(
            capacity,
            beside.map(({ resources }) => resources),
          );
          expect(left.jobs).toBeGreaterThanOrEqual(0);
          expect(left.cpus).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  test("of one job alone is its deadline less its duration", () => {
    const resources = { cpus: 1, memoryBytes: 0, gpus: 0, nodes: 1 };
    const job = { id: "a", after: [], resources, deadline: 100, seconds: 30 };
    expect(latestStarts([job], capacity).get("a")).toBe(70);
    expect(fits({ ...resources, cpus: 5 }, capacity)).toBe(false);
  });
});
