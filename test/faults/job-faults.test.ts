// Every fault of the local runner leads to what is stated, and its page tells of it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { createWorld, type World } from "../job-world.ts";
import { jobFaults } from "./job-faults.ts";

const worlds: World[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

describe("faults of the local runner", () => {
  test.each(jobFaults)("$name", async ({ play, ends, runs, says, mayBeLate }) => {
    const world = await createWorld();
    worlds.push(world);
    await play(world);
    const job = (await world.store.get("a")) ?? expect.fail("the job is lost");
    const told = [
      ...world.events,
      job.reason,
      ...(await world.store.history("a")).map((e) => e.text),
    ];
    expect(job.state, told.join("\n")).toBe(ends ?? "waiting");
    expect(world.runsOf("a"), told.join("\n")).toBe(runs);
    if (says !== undefined) expect(told.join("\n")).toMatch(says);
    if (ends === "done" && mayBeLate !== true)
      expect(job.endedAt, told.join("\n")).toBeLessThanOrEqual(job.job.deadline);
  });

  test("are on their page, one by one", () => {
    const page = readFileSync(
      join(import.meta.dirname, "../../docs/methods/running-jobs.md"),
      "utf8",
    );
    for (const { name } of jobFaults) expect(page).toContain(`| ${name} |`);
  });
});
