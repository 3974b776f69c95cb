// A made-up machine that runs jobs, for tests of the agent: simulated processes and clocks over a real store.
// An agent in it can be killed before or after any single thing that it does.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exact } from "../src/core/index.ts";
import {
  advise,
  bestPolicyFor,
  declaredError,
  FREE_INTERRUPTION,
  fixedDuration,
  type Job,
  type Signal,
  signal,
} from "../src/systems/schedule/index.ts";
import {
  type Agent,
  begin,
  type Capacity,
  cancelUnbegun,
  claim,
  createAgent,
  finish,
  type JobProcesses,
  type JobRecord,
  type JobStore,
  type Moment,
  openJobStore,
  type Pausing,
  type ProcessIdentity,
  signalToJson,
} from "../src/systems/schedule/jobs/index.ts";

export const HOUR = 3600;
/** A day in spring, midnight UTC. */
export const MIDNIGHT = Date.UTC(2026, 3, 1) / 1000;

/** Thrown where an agent is killed; nothing of it runs after that. */
export class Killed extends Error {}

/** One command that really runs, in the eyes of the machine. */
interface Command {
  readonly id: string;
  readonly attempt: number;
  readonly pid: number;
  left: number;
  stopped: boolean;
  alive: boolean;
  saving: boolean;
  supervisor: number | null;
}

/** What befalls the next supervisor that is started. */
type Mishap = "before claim" | "before begin" | "before go" | "while it runs" | null;

export interface World {
  readonly store: JobStore;
  readonly folder: string;
  readonly forecasts: Map<string, Signal>;
  /** Times that a job's command was let go, and when each ended. */
  readonly runsOf: (id: string) => number;
  readonly moment: () => Moment;
  capacity: Capacity;
  mishap: Mishap;
  events: string[];
  submit(of: Partial<Submission> & { readonly id: string }): Promise<JobRecord>;
  agent(kill?: {
    readonly at: number;
    readonly when: "before" | "after";
  }): Agent & { readonly calls: () => number };
  /** Ends processes as `kill -9` would. */
  killCommand(id: string): Promise<void>;
  killSupervisor(id: string): void;
  /** All processes end and the clock that nobody sets starts anew, as when the machine is switched off. */
  reboot(seconds: number): void;
  jumpWall(seconds: number): void;
  /** Lets time pass without any agent. */
  pass(seconds: number): Promise<void>;
  /** Lets an agent look whenever it wants to, until nothing is open or `until` has come. */
  run(agent: Agent, until?: number): Promise<void>;
  close(): void;
}

interface Submission {
  readonly id: string;
  readonly hours: number;
  readonly deadlineIn: number;
  readonly pausing: Pausing | null;
  readonly minimumRunS: number;
  readonly restartS: number;
  readonly after: readonly string[];
  readonly cpus: number;
  readonly user: number | null;
}

/** Hourly intensities from midnight on; the source is named by its key. */
export const hourly = (values: readonly number[], issuedAt = MIDNIGHT, start = MIDNIGHT): Signal =>
  signal({
    ...{ zone: "DE", kind: "average", basis: "location", issuedAt, start, step: HOUR },
    ...{ values, source: "made up" },
  });

/** Clean from hour 10 to 14 and from 18 to 20 of two days, dirty else. */
export const TWO_VALLEYS = hourly(
  Array.from({ length: 48 }, (_, hour) => {
    const of = hour % 24;
    return (of >= 10 && of < 14) || (of >= 18 && of < 20) ? 100 : 400;
  }),
);

export async function createWorld(forecast: Signal = TWO_VALLEYS): Promise<World> {
  // In memory where there is such a folder: what is tested is not the disk.
  const base = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const folder = mkdtempSync(join(base, "godwit-world-"));
  const store = await openJobStore(folder);
  const commands: Command[] = [];
  const supervisors = new Map<number, boolean>();
  const letGo = new Map<string, number>();
  const forecasts = new Map([["main", forecast]]);
  let [elapsed, wallOffset, boot, nextPid] = [0, MIDNIGHT, 1, 100];
  const moment = (): Moment => ({ now: wallOffset + elapsed, monotonicS: elapsed });
  const identity = (pid: number): ProcessIdentity => ({ pid, pidStart: `boot-${boot}:${pid}` });
  const isAlive = ({ pid, pidStart }: ProcessIdentity): boolean =>
    pidStart === identity(pid).pidStart &&
    (supervisors.get(pid) === true || commands.some((one) => one.pid === pid && one.alive));

  /** A supervisor does at once what a real one does within a second. */
  async function supervise({ id, attempts }: JobRecord): Promise<void> {
    const { mishap } = world;
    world.mishap = null;
    if (mishap === "before claim") return;
    const pid = nextPid++;
    const self = identity(pid);
    supervisors.set(pid, true);
    const claimed = await store.change(id, moment().now, claim(attempts, self));
    if (claimed === null || !claimed.changed || mishap === "before begin") {
      supervisors.set(pid, false);
      return;
    }
    const own = nextPid++;
    const begun = await store.change(id, moment().now, begin(attempts, identity(own), moment()));
    if (begun?.changed !== true) {
      await store.change(id, moment().now, cancelUnbegun(attempts, self, moment()));
      supervisors.set(pid, false);
      return;
    }
    if (mishap === "before go") {
      supervisors.set(pid, false);
      return;
    }
    letGo.set(`${id} ${attempts}`, (letGo.get(`${id} ${attempts}`) ?? 0) + 1);
    const before = commands.findLast((one) => one.id === id);
    commands.push({
      ...{ id, attempt: attempts, pid: own, alive: true, stopped: false, saving: false },
      left: before?.left ?? lengths.get(id) ?? 0,
      supervisor: pid,
    });
    if (mishap === "while it runs") supervisors.set(pid, false);
  }
  const lengths = new Map<string, number>();

  async function end(command: Command, by: { code: number | null; signal: string | null }) {
    command.alive = false;
    const { supervisor, id, attempt } = command;
    if (supervisor === null || supervisors.get(supervisor) !== true) return;
    await store.change(id, moment().now, finish(attempt, by, moment(), `card-${id}-${attempt}`));
    supervisors.set(supervisor, false);
  }

  const processes: JobProcesses = {
    supervise,
    isGone: async (process) => !isAlive(process),
    async signal(process, name) {
      const command = commands.find((one) => isAlive(process) && one.pid === process.pid);
      if (command === undefined) return;
      if (name === "SIGSTOP") command.stopped = true;
      else if (name === "SIGCONT") command.stopped = false;
      else await end(command, { code: null, signal: name });
    },
    hasBegun: async ({ id, attempts }) => letGo.has(`${id} ${attempts}`),
    async askToSave({ process }) {
      const command = commands.find((one) => one.pid === process?.pid && one.alive);
      if (command !== undefined) command.saving = true;
    },
  };

  /** Lets time pass; with `untilEnd`, only until a command ends, as a real agent then looks. */
  async function elapse(seconds: number, { untilEnd }: { untilEnd: boolean }): Promise<void> {
    let ended = false;
    for (let left = seconds; left > 0 && !(untilEnd && ended); ) {
      const running = commands.filter(({ alive, stopped }) => alive && !stopped);
      const step = Math.min(left, ...running.map((one) => (one.saving ? 30 : one.left)));
      elapsed += step;
      left -= step;
      for (const command of running) {
        command.left -= step;
        if (command.left > 1e-9 && !command.saving) continue;
        await end(command, { code: 0, signal: null });
        ended = true;
      }
    }
  }

  const world: World = {
    ...{ store, folder, forecasts, moment, mishap: null, events: [] },
    pass: (seconds) => elapse(seconds, { untilEnd: false }),
    capacity: { jobs: 4, cpus: 8, memoryBytes: 1e9, gpus: 0 },
    runsOf: (id) =>
      [...letGo].reduce((sum, [key, count]) => sum + (key.startsWith(`${id} `) ? count : 0), 0),
    async submit(of) {
      const submission = { ...DEFAULTS, ...of };
      const record = recordOf(submission, forecast, moment().now);
      lengths.set(of.id, submission.hours * HOUR);
      await store.add(record, null);
      return record;
    },
    agent(kill) {
      let calls = 0;
      let dead = false;
      const dying = <T extends (...args: never[]) => Promise<unknown>>(action: T): T =>
        (async (...args: Parameters<T>) => {
          calls += 1;
          if (dead) throw new Killed();
          if (kill?.at === calls && kill.when === "before") {
            dead = true;
            throw new Killed();
          }
          const result = await action(...args);
          if (kill?.at === calls) {
            dead = true;
            throw new Killed();
          }
          return result;
        }) as unknown as T;
      const agent = createAgent({
        store: {
          ...store,
          change: dying(store.change),
          forgetEnvironment: dying(store.forgetEnvironment),
        },
        processes: {
          ...processes,
          supervise: dying(processes.supervise),
          signal: dying(processes.signal),
          askToSave: dying(processes.askToSave),
        },
        moment,
        forecastOf: async ({ signal: name }) => {
          const found = forecasts.get(name ?? "");
          if (found === undefined) throw new Error("the source is silent");
          return found;
        },
        ...{ capacity: world.capacity, user: null, refreshS: 0, marginS: 3, graceS: 10 },
        onEvent: (text) => world.events.push(text),
      });
      return { ...agent, calls: () => calls };
    },
    async killCommand(id) {
      const command = commands.find((one) => one.id === id && one.alive);
      if (command !== undefined) await end(command, { code: null, signal: "SIGKILL" });
    },
    killSupervisor(id) {
      const command = commands.findLast((one) => one.id === id);
      if (command?.supervisor != null) supervisors.set(command.supervisor, false);
    },
    reboot(seconds) {
      for (const command of commands) command.alive = false;
      for (const pid of supervisors.keys()) supervisors.set(pid, false);
      wallOffset += elapsed + seconds;
      elapsed = 0;
      boot += 1;
    },
    jumpWall(seconds) {
      wallOffset += seconds;
    },
    async run(agent, until = MIDNIGHT + 3 * 24 * HOUR) {
      while (moment().now < until) {
        await agent.refresh();
        const { nextAt, open } = await agent.tick();
        if (open === 0) return;
        const ahead = Math.min(nextAt, moment().now + 3 * HOUR, until) - moment().now;
        await elapse(Math.max(1, ahead), { untilEnd: true });
      }
    },
    close() {
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return world;
}

const DEFAULTS: Omit<Submission, "id"> = {
  ...{ hours: 2, deadlineIn: 24, pausing: null, minimumRunS: 0, restartS: 0, after: [] },
  ...{ cpus: 1, user: null },
};

function recordOf(of: Submission, forecast: Signal, now: number): JobRecord {
  const { id, hours, deadlineIn, pausing, minimumRunS, restartS, after, cpus, user } = of;
  const job: Job = {
    ...{ id, submittedAt: now, earliest: now, deadline: now + deadlineIn * HOUR },
    duration: fixedDuration(hours * HOUR),
    power: exact("W", 300, { method: "declared", source: "test" }),
    interruptible: pausing === null ? null : { ...FREE_INTERRUPTION, minimumRunS, restartS },
    ...{ scale: null, pinned: false },
    zones: [{ zone: "DE", bytes: 0, joulesPerByte: 0, startLatencyS: 0 }],
  };
  const policy = bestPolicyFor(job);
  const error = declaredError(0);
  const { plan } = advise(job, forecast, { now, policy, error, threshold: 0 });
  return {
    ...{ schema: "godwit.job/1", id, name: id, tags: {}, command: ["work"], cwd: "/" },
    ...{ environment: "bare", user, job, durationSource: "declared" },
    ...{ resources: { cpus, memoryBytes: 0, gpus: 0, nodes: 1 }, after, pausing },
    planning: {
      ...{ policy: policy.name, threshold: 0, error },
      source: {
        ...{ signal: "main", zone: null, from: null, kind: null, basis: null },
        ...{ offline: false, forecaster: null },
      },
    },
    ...{ engine: "local", externalId: null, engineData: {}, state: "waiting", reason: "planned" },
    ...{ cancelAsked: false, attempts: 0, submittedAt: now, startedAt: null, endedAt: null },
    ...{ exit: null, spans: [], supervisor: null, process: null, stdout: "o", stderr: "e" },
    ...{ plan, forecast: signalToJson(forecast), firstPlan: plan },
    ...{ firstForecast: signalToJson(forecast), replans: 0, cards: [] },
  };
}
