import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../core/index.ts";
import { expandHostList } from "./host-list.ts";
import { counterScope } from "./node-energy.ts";
import { readSacct } from "./read-sacct.ts";
import { readSinfo } from "./read-sinfo.ts";
import { readSqueue } from "./read-squeue.ts";
import { stateOf } from "./states.ts";

const fixture = (name: string): string =>
  readFileSync(new URL(`../../../../test/fixtures/slurm/${name}.json`, import.meta.url), "utf8");

describe.each(["22.05.8", "24.05-built"])("squeue of %s", (version) => {
  const jobs = readSqueue(fixture(`squeue-${version}`));
  const job = (id: number) => jobs.find((one) => one.id === id);

  test("tells a waiting job's begin, deadline and limit", () => {
    expect(job(1)).toMatchObject({
      state: { phase: "waiting", outcome: null },
      startsAt: 1795758732,
      limitS: 60,
      held: false,
      arrayId: null,
      task: null,
    });
    expect(job(1)?.deadline).toBe(1795758132 + 3600);
    expect(job(11)?.deadline).not.toBeNull();
    expect(job(3)?.deadline).toBeNull();
  });
  test("tells what is held, suspended, and running on which nodes", () => {
    expect(job(2)).toMatchObject({ held: true, startsAt: null });
    expect(job(7)).toMatchObject({ state: { phase: "suspended" }, held: false });
    expect(job(3)).toMatchObject({
      state: { phase: "running" },
      nodes: "n[1-2]",
      nodeCount: 2,
    });
  });
  test("tells how a job ended, and that a requeued one waits again", () => {
    expect(job(5)).toMatchObject({
      state: { phase: "ended", outcome: "failed" },
      exit: { code: 3, signal: null },
    });
    expect(job(10)).toMatchObject({ state: { phase: "waiting" }, restarts: 1 });
  });
  test("tells tasks of arrays from jobs", () => {
    expect(job(9)).toMatchObject({ arrayId: 9, task: null });
    expect(job(12)).toMatchObject({ arrayId: 8, task: 1 });
  });
});

test("newer squeue: flags beside a state do not hide it, and a limit can be none", () => {
  const jobs = readSqueue(fixture("squeue-24.05-built"));
  expect(jobs.find(({ id }) => id === 20)).toMatchObject({
    state: { phase: "running", words: "running, configuring, power_up_node" },
    limitS: Number.POSITIVE_INFINITY,
  });
  expect(jobs.find(({ id }) => id === 21)?.state).toMatchObject({ outcome: "completed" });
});

test("an empty list of jobs with an error in it is no list of jobs", () => {
  expect(() => readSqueue(fixture("squeue-22.05.8-controller-down"))).toThrow(
    expect.objectContaining({
      code: "network",
      message: expect.stringContaining("looking for jobs"),
    }),
  );
});

test("that nothing was found is an answer, not a fault", () => {
  expect(readSacct(fixture("sacct-22.05.8-nothing-found"))).toEqual([]);
});

describe("sacct", () => {
  const recorded = readSacct(fixture("sacct-22.05.8"));
  const built = readSacct(fixture("sacct-24.05-built"));

  test("tells times, nodes, and the array of a task, in both shapes", () => {
    for (const jobs of [recorded, built])
      expect(jobs.find(({ id }) => id === 3)).toMatchObject({
        cluster: "green",
        user: "root",
        state: { phase: "running" },
        submittedAt: 1795758132,
        startedAt: 1795758133,
        endedAt: null,
        nodes: "n[1-2]",
        nodeCount: 2,
      });
    expect(recorded.find(({ id }) => id === 13)).toMatchObject({
      arrayId: 8,
      task: 2,
      state: { outcome: "interrupted" },
    });
  });
  test("does not believe that a failed job of 22.05 exited with 0", () => {
    expect(recorded.find(({ id }) => id === 5)).toMatchObject({
      state: { outcome: "failed" },
      exit: null,
    });
    expect(built.find(({ id }) => id === 5)?.exit).toEqual({ code: 3, signal: null });
    expect(built.find(({ id }) => id === 6)?.exit).toEqual({ code: null, signal: 15 });
  });
  test("takes 0 J and NO_VAL for nothing gathered, and a job's count before its steps'", () => {
    expect(recorded.map(({ nodeJoules }) => nodeJoules)).toEqual(recorded.map(() => null));
    expect(built.map(({ id, nodeJoules }) => [id, nodeJoules])).toEqual([
      [3, null],
      [5, 4200],
      [6, 9000],
      [7, null],
    ]);
  });
});

test("node counters are a job's own only where it had every processor of its nodes", () => {
  const [row] = readSacct(fixture("sacct-24.05-built")).filter(({ id }) => id === 6);
  if (row === undefined) throw new Error("no job 6");
  const nodes = readSinfo(fixture("sinfo-22.05.8"));
  const on = (list: string, cpus: number) => counterScope([{ ...row, nodes: list, cpus }], nodes);
  expect(on("n[1-2]", 4)).toBe("exclusive");
  expect(on("n[1-2]", 3)).toBe("shared");
  expect(on("n[1-9]", 18)).toBe("unknown");
  expect(counterScope([{ ...row, nodeJoules: null }], nodes)).toBe("unknown");
});

test("sinfo tells nodes one by one in both shapes, each once", () => {
  const recorded = readSinfo(fixture("sinfo-22.05.8"));
  expect(recorded.map(({ name, states }) => `${name} ${states}`)).toEqual([
    "n1 MIXED",
    "n2 MIXED",
    "n3 IDLE",
    "n4 DOWN",
  ]);
  expect(recorded[0]).toMatchObject({ cpus: 2, partitions: ["main"], lastBusyAt: 1795758132 });
  const built = readSinfo(fixture("sinfo-24.05-built"));
  expect(built.map(({ name }) => name)).toEqual(["n1", "n2", "n3"]);
  expect(built[2]).toMatchObject({
    states: ["IDLE", "POWERED_DOWN"],
    partitions: ["main", "night"],
    features: ["zoneA", "ib"],
    lastBusyAt: null,
  });
});

test("any text is read or refused with a UserError, and never with anything else", () => {
  const read = [readSqueue, readSacct, readSinfo];
  const hostile = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .array(
        fc.dictionary(
          fc.constantFrom(
            "job_state",
            "state",
            "time",
            "tres",
            "array",
            "exit_code",
            "steps",
            "nodes",
          ),
          fc.jsonValue(),
        ),
      )
      .map((rows) => JSON.stringify({ jobs: rows, nodes: rows, sinfo: rows })),
  );
  fc.assert(
    fc.property(hostile, fc.constantFrom(...read), (text, reader) => {
      try {
        reader(text);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }),
  );
});

describe("states", () => {
  test.each([
    [["PENDING"], "waiting", null],
    [["CONFIGURING"], "running", null],
    [["COMPLETING"], "running", null],
    [["NODE_FAIL"], "ended", "interrupted"],
    [["NODE_FAIL", "REQUEUED"], "waiting", null],
    [["REQUEUE_HOLD"], "waiting", null],
    [["CANCELLED BY 1000"], "ended", "cancelled"],
    [["DEADLINE"], "ended", "late"],
    [["TIMEOUT"], "ended", "failed"],
  ] as const)("%j means %s", (words, phase, outcome) => {
    expect(stateOf(words)).toMatchObject({ phase, outcome });
  });
  test("a word of a later version is not guessed at", () => {
    expect(stateOf(["HIBERNATING"])).toBeNull();
  });
});

describe("lists of nodes", () => {
  test.each([
    ["", []],
    ["n1", ["n1"]],
    ["n[1-3,7],login", ["n1", "n2", "n3", "n7", "login"]],
    ["rack[1-2]n[09-10]", ["rack1n09", "rack1n10", "rack2n09", "rack2n10"]],
  ])("%s", (text, names) => {
    expect(expandHostList(text)).toEqual(names);
  });
  test.each(["n[1-", "n[3-1]", "n[a]", "n[1-999999999]", "a,,b", "n]1"])(
    "%s is refused",
    (text) => {
      expect(() => expandHostList(text)).toThrow(UserError);
    },
  );
});
