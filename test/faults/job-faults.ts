// Faults of the local runner: what befalls a queue, its agent, its supervisors, its jobs and its clocks.
// After each of them no job may be lost, run twice, or be late without need.

import { type JobRecord, signalToJson } from "../../src/systems/schedule/jobs/index.ts";
import { HOUR, hourly, MIDNIGHT, TWO_VALLEYS, type World } from "../job-world.ts";

export interface JobFault {
  readonly name: string;
  /** What is in the queue, and what happens. */
  readonly play: (world: World) => Promise<void>;
  /** State in which the job `a` ends; null when it stays in the queue. */
  readonly ends: JobRecord["state"] | null;
  /** How often its command ran. */
  readonly runs: number;
  /** What is said of it, in its record or by the agent. */
  readonly says?: RegExp;
  /** Being late is the fault's own doing. */
  readonly mayBeLate?: true;
  readonly why: string;
}

const at = (hour: number): number => MIDNIGHT + hour * HOUR;

const STOPS = { kind: "stop" } as const;
const SAVES = { kind: "checkpoint", command: ["save"] } as const;

/** The queue runs on its own from here. */
const goOn = (world: World): Promise<void> => world.run(world.agent());

const supervisorDies =
  (mishap: World["mishap"]) =>
  async (world: World): Promise<void> => {
    await world.submit({ id: "a" });
    world.mishap = mishap;
    await goOn(world);
  };

const DIRTY_END = Array.from({ length: 48 }, (_, hour) => 900 - 10 * hour);

/** Forecasts that keep putting the clean hours off. */
async function alwaysLater(world: World): Promise<void> {
  await world.submit({ id: "a", deadlineIn: 12 });
  const agent = world.agent();
  for (let hour = 1; hour < 11; hour++) {
    await world.run(agent, at(hour));
    world.forecasts.set("main", hourly(DIRTY_END, at(hour)));
  }
  await world.run(agent);
}

export const jobFaults: readonly JobFault[] = [
  {
    name: "the supervisor is killed before it takes the job",
    play: supervisorDies("before claim"),
    ...{ ends: "done", runs: 1, why: "an attempt that nobody took is handed over again" },
  },
  {
    name: "the supervisor is killed before the command exists",
    play: supervisorDies("before begin"),
    ...{ ends: "done", runs: 1, why: "nothing of it ran: it is started again" },
  },
  {
    name: "the supervisor is killed before the command is let go",
    play: supervisorDies("before go"),
    ...{ ends: "done", runs: 1, why: "the command leaves a mark when it is let go; there is none" },
  },
  {
    name: "the supervisor is killed while the command runs",
    play: supervisorDies("while it runs"),
    ...{ ends: "failed", runs: 1, says: /how it ended is not known/ },
    why: "the command runs to its end and is not run twice; its exit code went with its parent",
  },
  {
    name: "the supervisor of a job that saves itself is killed with it",
    async play(world) {
      await world.submit({ id: "a", hours: 3, pausing: SAVES });
      const agent = world.agent();
      await world.run(agent, at(11));
      world.killSupervisor("a");
      await world.killCommand("a");
      await world.run(agent);
    },
    ...{ ends: "done", runs: 2, why: "it goes on from its checkpoint" },
  },
  {
    name: "the job is killed",
    async play(world) {
      await world.submit({ id: "a" });
      await world.run(world.agent(), at(11));
      await world.killCommand("a");
      await goOn(world);
    },
    ...{ ends: "failed", runs: 1, says: /SIGKILL/, why: "its own end, with its signal" },
  },
  {
    name: "the job is killed while it stands still",
    async play(world) {
      await world.submit({ id: "a", hours: 5, pausing: STOPS });
      await world.run(world.agent(), at(16));
      await world.killCommand("a");
      await goOn(world);
    },
    ...{ ends: "failed", runs: 1, says: /SIGKILL/, why: "it is not continued, and not run again" },
  },
  {
    name: "the machine restarts while the job waits",
    async play(world) {
      await world.submit({ id: "a" });
      await world.run(world.agent(), at(3));
      world.reboot(HOUR);
      await goOn(world);
    },
    ...{ ends: "done", runs: 1, why: "the queue is on the disk" },
  },
  {
    name: "the machine restarts while the job runs",
    async play(world) {
      await world.submit({ id: "a" });
      await world.run(world.agent(), at(11));
      world.reboot(HOUR);
      await goOn(world);
    },
    ...{ ends: "failed", runs: 1, says: /not known/ },
    why: "what it had done is not known, so it is not repeated without being asked",
  },
  {
    name: "the machine restarts while a job runs that saves itself",
    async play(world) {
      await world.submit({ id: "a", hours: 3, pausing: SAVES });
      await world.run(world.agent(), at(11));
      world.reboot(HOUR);
      await goOn(world);
    },
    ...{ ends: "done", runs: 2, why: "it is started again and goes on from its checkpoint" },
  },
  {
    name: "the machine restarts while the job stands still",
    async play(world) {
      await world.submit({ id: "a", hours: 5, pausing: STOPS });
      await world.run(world.agent(), at(16));
      world.reboot(60);
      await goOn(world);
    },
    ...{ ends: "failed", runs: 1, says: /not known/, why: "its memory is gone" },
  },
  {
    name: "the clock jumps five hours ahead",
    async play(world) {
      await world.submit({ id: "a" });
      const agent = world.agent();
      await world.run(agent, at(6));
      world.jumpWall(5 * HOUR);
      await world.run(agent);
    },
    ...{ ends: "done", runs: 1, why: "plans are moments of the wall clock: its time has come" },
  },
  {
    name: "the clock is set back by three hours",
    async play(world) {
      await world.submit({ id: "a" });
      const agent = world.agent();
      await world.run(agent, at(9));
      world.jumpWall(-3 * HOUR);
      await world.run(agent);
    },
    ...{ ends: "done", runs: 1, why: "it waits for the same moment" },
  },
  {
    name: "the clock jumps ahead while the job runs, and would hide what is left of it",
    async play(world) {
      await world.submit({ id: "a", hours: 8, deadlineIn: 20, pausing: STOPS });
      const agent = world.agent();
      await world.run(agent, at(11));
      world.jumpWall(HOUR);
      await world.run(agent);
    },
    ...{ ends: "done", runs: 1, why: "progress is counted by the clock that nobody sets" },
  },
  {
    name: "the source of forecasts is silent",
    async play(world) {
      await world.submit({ id: "a" });
      world.forecasts.delete("main");
      await goOn(world);
    },
    ...{ ends: "done", runs: 1, says: /no newer forecast/, why: "the plan that there is holds" },
  },
  {
    name: "the forecast ends before the deadline",
    async play(world) {
      await world.submit({ id: "a" });
      world.forecasts.set("main", hourly([100, 100, 100, 100], at(1)));
      await goOn(world);
    },
    ...{ ends: "done", runs: 1, says: /keeps its plan/, why: "no plan is made of half a forecast" },
  },
  {
    name: "the forecast is suddenly of another zone",
    async play(world) {
      await world.submit({ id: "a" });
      world.forecasts.set("main", { ...TWO_VALLEYS, zone: "PL" });
      await goOn(world);
    },
    ...{ ends: "done", runs: 1, says: /keeps its plan.*DE/, why: "it is not this job's grid" },
  },
  {
    name: "every forecast is worse than the one before",
    play: alwaysLater,
    ...{ ends: "done", runs: 1, why: "the latest safe start has the last word" },
  },
  {
    name: "the stored forecast is damaged",
    async play(world) {
      await world.submit({ id: "a", hours: 5, pausing: STOPS });
      await world.store.change("a", 0, (record) => ({
        record: { ...record, forecast: { ...signalToJson(TWO_VALLEYS), issued_at: "never" } },
        ...{ kind: "damaged", text: "" },
      }));
      await goOn(world);
    },
    ...{ ends: "done", runs: 1, why: "a newer forecast takes its place" },
  },
  {
    name: "two agents look at the same moment",
    async play(world) {
      await world.submit({ id: "a" });
      const [one, two] = [world.agent(), world.agent()];
      await world.run(one, at(10));
      await Promise.all([one.tick(), two.tick(), one.tick(), two.tick()]);
      await world.run(two);
    },
    ...{ ends: "done", runs: 1, why: "a job is handed over in one transaction" },
  },
  {
    name: "the agent is away from before the start until after the latest start",
    async play(world) {
      await world.submit({ id: "a", deadlineIn: 14 });
      await world.run(world.agent(), at(2));
      await world.pass(11 * HOUR);
      await goOn(world);
    },
    ...{ ends: "done", runs: 1, mayBeLate: true, says: /start/ },
    why: "it starts as soon as somebody is there",
  },
  {
    name: "the agent is away while a job stands still",
    async play(world) {
      await world.submit({ id: "a", hours: 5, pausing: STOPS });
      await world.run(world.agent(), at(15));
      await world.pass(4 * HOUR);
      await goOn(world);
    },
    ...{ ends: "done", runs: 1, why: "it is continued at once, and planned again" },
  },
  {
    name: "the job is of another user",
    async play(world) {
      await world.submit({ id: "a", user: 4711 });
      await world.run(world.agent(), at(30));
    },
    ...{ ends: null, runs: 0, says: /of user 4711/, why: "nobody runs another's command" },
  },
  {
    name: "the job needs more than the machine has",
    async play(world) {
      await world.submit({ id: "a", cpus: 64 });
      await world.run(world.agent(), at(30));
    },
    ...{
      ends: null,
      runs: 0,
      says: /64 processors of 8/,
      why: "it is named; it does not block others",
    },
  },
  {
    name: "what it waits for was cancelled",
    async play(world) {
      await world.submit({ id: "first" });
      await world.submit({ id: "a", after: ["first"] });
      await world.store.change("first", at(0), (record) => ({
        record: { ...record, state: "cancelled", endedAt: at(0) },
        ...{ kind: "cancelled", text: "" },
      }));
      await goOn(world);
    },
    ...{ ends: "cancelled", runs: 0, says: /first, which it waits for, cancelled/ },
    why: "its input will never be there",
  },
  {
    name: "what it waits for is not in the store",
    async play(world) {
      await world.submit({ id: "a", after: ["nobody"] });
      await goOn(world);
    },
    ...{ ends: "cancelled", runs: 0, says: /nobody, which it waits for, is gone/ },
    why: "it would wait for ever",
  },
  {
    name: "two jobs of a damaged store wait for each other",
    async play(world) {
      await world.submit({ id: "a", after: ["b"] });
      await world.submit({ id: "b", after: ["a"] });
      await world.run(world.agent(), at(30));
    },
    ...{ ends: null, runs: 0, why: "nothing hangs; godwit submit cannot make such a pair" },
  },
  {
    name: "it is cancelled while it stands still",
    async play(world) {
      await world.submit({ id: "a", hours: 5, pausing: STOPS });
      const agent = world.agent();
      await world.run(agent, at(16));
      await world.store.change("a", at(16), (record) => ({
        record: {
          ...record,
          cancelAsked: true,
          engineData: { ...record.engineData, cancelAt: at(16) },
        },
        ...{ kind: "cancelling", text: "" },
      }));
      await world.run(agent);
    },
    ...{ ends: "cancelled", runs: 1, why: "it gets SIGTERM, and SIGCONT so that it can hear it" },
  },
  {
    name: "it is cancelled, and the agent is killed before it could say so to the job",
    async play(world) {
      await world.submit({ id: "a" });
      const agent = world.agent();
      await world.run(agent, at(11));
      await world.store.change("a", at(11), (record) => ({
        record: {
          ...record,
          cancelAsked: true,
          engineData: { ...record.engineData, cancelAt: at(11) },
        },
        ...{ kind: "cancelling", text: "" },
      }));
      await goOn(world);
    },
    ...{ ends: "cancelled", runs: 1, why: "the next agent sees that it was asked for" },
  },
];
