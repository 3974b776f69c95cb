// A cluster made up for tests: jobs in memory, a clock that moves when told, and daemons that fail as
// real ones were seen to fail (test/cluster).

import type { SlurmClient } from "../src/systems/schedule/slurm/index.ts";

interface FakeJob {
  readonly id: number;
  readonly command: string;
  begin: number;
  held: boolean;
  state: "PENDING" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED" | "NODE_FAIL";
  submitted: number;
  started: number | null;
  ended: number | null;
  restarts: number;
}

export interface FakeSlurm extends SlurmClient {
  /** Unix seconds. */
  now: number;
  /** What does not answer. */
  readonly down: { controller: boolean; accounting: boolean };
  readonly jobs: FakeJob[];
  /** How often each script was begun. */
  readonly begun: Map<string, number>;
  /** Lets time pass; due jobs begin, and run `lengthS`. */
  pass(seconds: number): void;
  lengthS: number;
}

const unreachable = (): Error => new Error("Unable to contact slurm controller");

export function createFakeSlurm(now: number): FakeSlurm {
  const jobs: FakeJob[] = [];
  const begun = new Map<string, number>();
  let last = 0;
  const find = (id: string): FakeJob | undefined => jobs.find((job) => String(job.id) === id);
  const row = (job: FakeJob) => ({
    ...{ cluster: "green", id: job.id, arrayId: null, task: null, name: "train.sh", user: "ada" },
    state: {
      phase:
        ({ PENDING: "waiting", RUNNING: "running" } as Record<string, "waiting" | "running">)[
          job.state
        ] ?? ("ended" as const),
      outcome:
        (
          {
            COMPLETED: "completed",
            FAILED: "failed",
            CANCELLED: "cancelled",
            NODE_FAIL: "interrupted",
          } as const
        )[job.state as "COMPLETED"] ?? null,
      words: job.state.toLowerCase(),
    },
    ...{ nodes: job.started === null ? "" : "n1", nodeCount: job.started === null ? 0 : 1 },
    submittedAt: job.submitted,
    exit: job.state === "COMPLETED" ? { code: 0, signal: null } : null,
  });
  const fake: FakeSlurm = {
    now,
    down: { controller: false, accounting: false },
    ...{ jobs, begun, lengthS: 10 },
    pass(seconds) {
      for (let second = 0; second < seconds; second++) {
        fake.now++;
        for (const job of jobs) {
          if (job.state === "PENDING" && !job.held && job.begin <= fake.now) {
            job.state = "RUNNING";
            job.started = fake.now;
            begun.set(job.command, (begun.get(job.command) ?? 0) + 1);
          } else if (job.state === "RUNNING" && fake.now - (job.started ?? 0) >= fake.lengthS) {
            job.state = "COMPLETED";
            job.ended = fake.now;
          }
        }
      }
    },
    async sbatch(args) {
      if (fake.down.controller) return { kind: "unknown", reason: unreachable().message };
      const begin = Number(
        /^--begin=uts(\d+)$/.exec(args.find((arg) => arg.startsWith("--begin")) ?? "")?.[1],
      );
      const command = args.slice(args.indexOf("--") + 1).join(" ");
      jobs.push({
        ...{ id: ++last, command, begin, held: args.includes("--hold"), state: "PENDING" },
        ...{ submitted: fake.now, started: null, ended: null, restarts: 0 },
      });
      return { kind: "accepted", id: last, said: "" };
    },
    async queue() {
      if (fake.down.controller) throw unreachable();
      return jobs.map((job) => ({
        ...row(job),
        ...{ reason: job.held ? "JobHeldUser" : "BeginTime", deadline: null, limitS: 3600 },
        startsAt: job.started ?? job.begin,
        endsAt: job.ended,
        ...{ held: job.held, restarts: job.restarts, command: job.command },
      }));
    },
    async accounting(ids) {
      if (fake.down.accounting) throw new Error("Problem talking to the database");
      return jobs
        .filter(({ id }) => ids.includes(id))
        .map((job) => ({
          ...row(job),
          ...{ startedAt: job.started, endedAt: job.ended, cpus: 1, suspendedS: 0 },
          ...{ elapsedS: (job.ended ?? fake.now) - (job.started ?? fake.now), nodeJoules: null },
        }));
    },
    clusterName: async () => "green",
    nodes: async () => [],
    history: async () => [],
    async control(verb, id, settings = []) {
      if (fake.down.controller) return { kind: "unreachable", reason: unreachable().message };
      const job = find(id);
      if (job?.state !== "PENDING") return { kind: "too-late", reason: "Invalid job id specified" };
      const start = /^StartTime=uts(\d+)$/.exec(settings[0] ?? "")?.[1];
      if (verb === "update" && start !== undefined) job.begin = Number(start);
      if (verb === "hold" || verb === "release") job.held = verb === "hold";
      return { kind: "done" };
    },
    async cancel(id) {
      if (fake.down.controller) return { kind: "unreachable", reason: unreachable().message };
      const job = find(id);
      if (job !== undefined && job.ended === null) {
        job.state = "CANCELLED";
        job.ended = fake.now;
      }
      return { kind: "done" };
    },
  };
  return fake;
}
