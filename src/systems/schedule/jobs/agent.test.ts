// The agent on a made-up machine: jobs run when planned, are not late, not lost and not doubled, wherever
// it is killed.

import { afterEach, describe, expect, test } from "vitest";
import {
  createWorld,
  HOUR,
  hourly,
  Killed,
  MIDNIGHT,
  TWO_VALLEYS,
  type World,
} from "../../../../test/job-world.ts";
import type { JobRecord } from "./record.ts";

const worlds: World[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

async function make(...of: Parameters<typeof createWorld>): Promise<World> {
  const world = await createWorld(...of);
  worlds.push(world);
  return world;
}

const get = async (world: World, id: string): Promise<JobRecord> =>
  (await world.store.get(id)) ?? expect.fail(`no job ${id}`);

const hoursOf = ({ spans }: JobRecord): readonly (readonly [number, number])[] =>
  spans.map(({ start, end }) => [(start - MIDNIGHT) / HOUR, ((end ?? NaN) - MIDNIGHT) / HOUR]);

describe("a job runs as planned", () => {
  test("in one piece, in the cleanest hours", async () => {
    const world = await make();
    await world.submit({ id: "a" });
    await world.run(world.agent());
    const job = await get(world, "a");
    expect(job.state).toBe("done");
    expect(hoursOf(job)).toEqual([[10, 12]]);
    expect(job.cards).toEqual(["card-a-1"]);
  });

  test("stopped and continued between two clean stretches", async () => {
    const world = await make();
    await world.submit({ id: "a", hours: 5, pausing: { kind: "stop" } });
    await world.run(world.agent());
    const job = await get(world, "a");
    expect(hoursOf(job)).toEqual([
      [10, 14],
      [18, 19],
    ]);
    expect(world.runsOf("a")).toBe(1);
  });

  test("saved and started again where it saves itself", async () => {
    const world = await make();
    const pausing = { kind: "checkpoint", command: ["/bin/sh", "-c", "true"] } as const;
    await world.submit({ id: "a", hours: 5, pausing, restartS: 300 });
    await world.run(world.agent());
    const job = await get(world, "a");
    expect(job.state).toBe("done");
    expect(job.attempts).toBe(2);
    expect(job.cards).toEqual(["card-a-1", "card-a-2"]);
    expect(job.endedAt).toBeLessThanOrEqual(job.job.deadline);
  });

  test("after the one that it waits for", async () => {
    const world = await make();
    await world.submit({ id: "a", hours: 3 });
    await world.submit({ id: "b", hours: 1, after: ["a"] });
    await world.run(world.agent());
    expect(hoursOf(await get(world, "a"))).toEqual([[10, 13]]);
    expect((await get(world, "b")).startedAt).toBeGreaterThanOrEqual(MIDNIGHT + 13 * HOUR);
  });

  test("not at all when what it waits for fails", async () => {
    const world = await make();
    await world.submit({ id: "a" });
    await world.submit({ id: "b", after: ["a"] });
    const agent = world.agent();
    await world.run(agent, MIDNIGHT + 11 * HOUR);
    await world.killCommand("a");
    await world.run(agent);
    expect(await get(world, "a")).toMatchObject({ state: "failed", reason: "ended by SIGKILL" });
    expect(await get(world, "b")).toMatchObject({ state: "cancelled", attempts: 0 });
  });
});

describe("deadlines", () => {
  test("jobs that must share one place start early enough for all of them", async () => {
    const world = await make();
    world.capacity = { ...world.capacity, jobs: 1 };
    // Alone, each would wait for hour 10; together they do not fit in behind it.
    for (const id of ["a", "b", "c"]) await world.submit({ id, hours: 4, deadlineIn: 14 });
    await world.run(world.agent());
    for (const id of ["a", "b", "c"]) {
      const job = await get(world, id);
      expect(job.state).toBe("done");
      expect(job.endedAt, id).toBeLessThanOrEqual(job.job.deadline);
    }
  });

  test("a job that may wait does not take the place of one that may not", async () => {
    const forecast = hourly(Array.from({ length: 48 }, (_, hour) => [100, 100, 50][hour] ?? 400));
    const world = await make(forecast);
    world.capacity = { ...world.capacity, jobs: 1 };
    await world.submit({ id: "long", hours: 10, deadlineIn: 40 });
    await world.submit({ id: "short", hours: 1, deadlineIn: 4 });
    await world.run(world.agent());
    const short = await get(world, "short");
    expect(hoursOf(short)).toEqual([[2, 3]]);
    expect(short.endedAt).toBeLessThanOrEqual(short.job.deadline);
    const long = await get(world, "long");
    expect(long.endedAt).toBeLessThanOrEqual(long.job.deadline);
  });

  test("no forecast moves a start beyond the latest that is safe", async () => {
    const world = await make();
    await world.submit({ id: "a", deadlineIn: 13 });
    const agent = world.agent();
    for (let hour = 1; hour < 12; hour++) {
      await world.run(agent, MIDNIGHT + hour * HOUR);
      // What comes next always looks worse than what comes at the end.
      const values = Array.from({ length: 48 }, (_, at) => 500 - 8 * at);
      world.forecasts.set("main", hourly(values, MIDNIGHT + hour * HOUR));
    }
    await world.run(agent);
    const job = await get(world, "a");
    expect(job.replans).toBeGreaterThan(3);
    expect(job.endedAt).toBeLessThanOrEqual(job.job.deadline);
  });

  test("a newer forecast moves the start", async () => {
    const world = await make();
    await world.submit({ id: "a" });
    const agent = world.agent();
    await world.run(agent, MIDNIGHT + 5 * HOUR);
    const values = Array.from({ length: 48 }, (_, hour) => (hour === 7 || hour === 8 ? 50 : 400));
    world.forecasts.set("main", hourly(values, MIDNIGHT + 5 * HOUR));
    await world.run(agent);
    expect(hoursOf(await get(world, "a"))).toEqual([[7, 9]]);
  });
});

describe("an agent killed anywhere", () => {
  const jobs = [
    { id: "plain", hours: 2 },
    { id: "stops", hours: 5, pausing: { kind: "stop" } },
    { id: "saves", hours: 5, pausing: { kind: "checkpoint", command: ["save"] }, restartS: 300 },
    { id: "later", hours: 1, after: ["plain"] },
  ] as const;

  async function play(
    kill?: Parameters<World["agent"]>[0],
  ): Promise<{ world: World; calls: number }> {
    const world = await make();
    for (const job of jobs) await world.submit(job);
    const agent = world.agent(kill);
    try {
      await world.run(agent);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      // Nobody is there for a while.
      await world.pass(600);
      await world.run(world.agent());
    }
    return { world, calls: agent.calls() };
  }

  test("loses, doubles and delays no job", async () => {
    const { calls } = await play();
    expect(calls).toBeGreaterThan(15);
    for (const when of ["before", "after"] as const)
      for (let at = 1; at <= calls; at++) {
        const { world } = await play({ at, when });
        for (const { id } of jobs) {
          const job = await get(world, id);
          const told = `${id}, killed ${when} call ${at}: ${job.reason}`;
          expect(job.state, told).toBe("done");
          expect(job.endedAt, told).toBeLessThanOrEqual(job.job.deadline);
          expect(world.runsOf(id), told).toBe(id === "saves" ? job.attempts : 1);
        }
        world.close();
        worlds.splice(worlds.indexOf(world), 1);
      }
  });
});

test("two agents at once double nothing", async () => {
  const world = await make();
  for (let at = 0; at < 5; at++) await world.submit({ id: `job-${at}`, hours: 1 });
  const [one, two] = [world.agent(), world.agent()];
  await world.run(one, MIDNIGHT + 10 * HOUR);
  await Promise.all([one.tick(), two.tick(), one.tick(), two.tick()]);
  await world.run(two);
  for (let at = 0; at < 5; at++) {
    expect(world.runsOf(`job-${at}`)).toBe(1);
    expect((await get(world, `job-${at}`)).state).toBe("done");
  }
});

test("TWO_VALLEYS is what the tests say it is", () => {
  expect(TWO_VALLEYS.values[10]).toBe(100);
  expect(TWO_VALLEYS.values[14]).toBe(400);
});
