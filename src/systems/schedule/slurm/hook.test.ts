// The hook's Lua, run by a Lua interpreter with a made-up slurm table; on a real slurmctld: test/cluster.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRandom, UserError } from "../../../core/index.ts";
import { fixedDuration } from "../duration.ts";
import { between, exposureOf } from "../exposure.ts";
import { lowestWindow } from "../policies/lowest-window.ts";
import { type Signal, signal } from "../signal.ts";
import {
  checkSettings,
  IDLE_SCRIPT,
  renderPolicy,
  settingsOf,
  submitScript,
  USUAL_SETTINGS,
} from "./hook-policy.ts";

const LUA = ["/usr/bin/lua5.4", "/usr/bin/lua5.3", "/usr/bin/lua5.1", "/usr/bin/lua"].find(
  existsSync,
);
const HOOK = new URL("../../../../data/slurm/godwit.lua", import.meta.url).pathname;
if (LUA === undefined)
  console.log("skipping tests of the hook's Lua: no interpreter (apt-get install lua5.3)");

const NOW = 1795758000;
const HOUR = 3600;
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "godwit-hook-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const forecastOf = (values: readonly number[], start = NOW): Signal =>
  signal({
    ...{ zone: "DE", kind: "average", basis: "location", step: HOUR, start, issuedAt: NOW },
    ...{ values, source: "a test" },
  });

/** Runs Lua with the hook loaded as `godwit`; gives what it prints. */
function lua(text: string): string {
  const program = `
    local messages = {}
    slurm = { NO_VAL = 4294967294, SUCCESS = 0, log_user = function(...) messages[#messages + 1] = string.format(...) end }
    os.time = function() return ${NOW} end
    local godwit = dofile(${JSON.stringify(HOOK)})
    ${text}`;
  return execFileSync(LUA ?? "lua", ["-"], { encoding: "utf8", input: program });
}

const job = (more: string): string =>
  `{ script = "#!/bin/sh", time_limit = 60, begin_time = 0, comment = "green-flex", ${more} }`;

/** The begin that jobs get from a policy: 0 when they are left alone. */
function begins(policy: string, ...jobs: readonly string[]): readonly number[] {
  const path = join(folder, "policy");
  writeFileSync(path, policy);
  const out = lua(
    jobs
      .map(
        (one) =>
          `do local job = ${one}; pcall(godwit.submit, job, ${JSON.stringify(path)}); print(job.begin_time or 0) end`,
      )
      .join("\n"),
  );
  return out.trim().split("\n").map(Number);
}

const forecast = forecastOf([400, 400, 400, 100, 400, 400, 50, 400, 400, 400, 400, 400, 400, 10]);
const policy = renderPolicy(
  { ...USUAL_SETTINGS, qos: ["green"] },
  { forecast, now: NOW, maxAgeS: 6 * HOUR },
);

describe.skipIf(LUA === undefined)("the hook in Lua", () => {
  test("puts off what opted in, by comment or QOS, and no more than was allowed", () => {
    expect(
      begins(
        policy,
        job(""),
        job('comment = "nightly, green-flex=4h"'),
        job('comment = "green-flex=90m"'),
        job('comment = nil, qos = "green"'),
      ),
    ).toEqual([NOW + 6 * HOUR, NOW + 3 * HOUR, 0, NOW + 6 * HOUR]);
  });
  test("tells the user when, how much cleaner it is, and what to do about it", () => {
    writeFileSync(join(folder, "policy"), policy);
    const out = lua(`
      godwit.submit(${job("")}, ${JSON.stringify(join(folder, "policy"))})
      print(#messages, messages[1])`);
    expect(out).toMatch(
      /^1\tgodwit: begins 2026-11-27T\S+, when the grid is about 88 % cleaner\. At once: scontrol/,
    );
  });
  test("leaves alone what did not, and what says itself when to begin", () => {
    expect(
      begins(
        policy,
        job("comment = nil"),
        job('comment = "not-green-flex"'),
        job('comment = "green-flexible"'),
        job('comment = "green-flex=soon"'),
        job('qos = "normal", comment = ""'),
        job("begin_time = 1795758001"),
        job("priority = 0"),
        job('script = "#!/bin/sh\\n#SBATCH -N1 --deadline=now+1hour\\ntrue"'),
        job('script = ""'),
        job("script = nil"),
        job("time_limit = slurm.NO_VAL"),
        job("time_limit = nil"),
        // Longer than the forecast reaches.
        job("time_limit = 60 * 24"),
      ),
    ).toEqual([0, 0, 0, 0, 0, 1795758001, 0, 0, 0, 0, 0, 0, 0]);
  });
  test.each([
    ["no file", null],
    ["an empty file", ""],
    ["another file", "#!/bin/sh\necho\n"],
    ["a policy without a forecast", renderPolicy(USUAL_SETTINGS, null)],
    ["a policy that was cut off", policy.slice(0, -20)],
    ["a policy with a word for a number", policy.replace("value 100", "value x")],
    ["a policy of no steps", policy.replaceAll(/value .*\n/g, "")],
    ["a policy of steps of nothing", policy.replace("step 3600", "step 0")],
    ["an expired policy", policy.replace(/expires \d+/, `expires ${NOW}`)],
    ["a forecast of later", policy.replace(/start \d+/, `start ${NOW + 1}`)],
    ["Lua in the policy", policy.replace("value 100", "value os.exit(1)")],
  ])("with %s every job is as it was handed in", (_, text) => {
    const path = join(folder, "broken");
    if (text === null) rmSync(path, { force: true });
    else writeFileSync(path, text);
    const out = lua(
      `local job = ${job("")}; pcall(godwit.submit, job, ${JSON.stringify(path)}); print(job.begin_time)`,
    );
    expect(out).toBe("0\n");
  });
  test("a fault of slurm's own table changes nothing and is not passed on", () => {
    writeFileSync(join(folder, "policy"), policy);
    const out = lua(`
      slurm.log_user = nil
      local job = ${job("")}
      print(pcall(godwit.submit, job, ${JSON.stringify(join(folder, "policy"))}), job.begin_time)`);
    expect(out).toMatch(new RegExp(`^true\\t${NOW + 6 * HOUR}\n$`));
  });
  test("chooses as the planner's lowest window does, on a hundred drawn forecasts", () => {
    const random = createRandom(7);
    const cases = Array.from({ length: 100 }, () => ({
      values: Array.from({ length: 30 }, () => 50 + random.integer(500)),
      limitS: 60 * (1 + random.integer(300)),
      delayS: 60 * random.integer(1200),
      start: NOW - random.integer(HOUR),
    }));
    const out = lua(
      cases
        .map(
          ({ values, limitS, delayS, start }) =>
            `print((godwit.best_begin({ values = {${values}}, start = ${start}, step = ${HOUR}, ["least-saving"] = 0 }, ` +
            `${NOW}, ${delayS}, ${limitS})) or ${NOW})`,
        )
        .join("\n"),
    );
    const got = out.trim().split("\n").map(Number);
    for (const [at, { values, limitS, delayS, start }] of cases.entries()) {
      const exposure = exposureOf(forecastOf(values, start));
      const [run] = lowestWindow.choose(
        {
          ...{ earliest: NOW, latestStart: NOW + delayS, duration: fixedDuration(limitS) },
          ...{ plannedS: limitS, watts: 100, interruption: null },
        },
        exposure,
      );
      const cost = (begin: number) => between(exposure, begin, begin + limitS);
      // The begin may differ where two are equal; what it costs may not.
      expect(cost(got[at] ?? 0) / cost(run?.start ?? 0)).toBeCloseTo(1, 3);
      expect(got[at]).toBeLessThanOrEqual(NOW + delayS);
    }
  });
  test("the script around it works for any folder's name, and survives that the hook is gone", () => {
    const odd = join(folder, 'a "b"\\\n$(x)é');
    for (const [script, calls] of [
      [submitScript(odd), 1],
      [IDLE_SCRIPT, 0],
    ] as const) {
      const out = lua(`
        local seen = {}
        dofile = function(path) seen[#seen + 1] = path; error("gone") end
        assert((loadstring or load)(${JSON.stringify(script).replaceAll("\\n", "\\\n")}))()
        print(slurm_job_submit({}, {}, 0), slurm_job_modify({}, {}, {}, 0), #seen)`);
      expect(out).toBe(`0\t0\t${calls}\n`);
    }
  });
});

describe("the policy", () => {
  test("gives its settings back, with a forecast and without", () => {
    const settings = { word: "flex", qos: ["a", "b"], maxDelayS: 60, leastSaving: 0.1 };
    expect(settingsOf(renderPolicy(settings, null), "p")).toEqual(settings);
    expect(settingsOf(renderPolicy(settings, { forecast, now: NOW, maxAgeS: 60 }), "p")).toEqual(
      settings,
    );
  });
  test("begins with the step that holds now, and says no more than a line of its source", () => {
    const hostile = { ...forecast, source: "x\nvalue 1\nend\n" };
    const lines = renderPolicy(USUAL_SETTINGS, {
      forecast: hostile,
      now: NOW + 2.5 * HOUR,
      maxAgeS: 60,
    }).split("\n");
    expect(lines).toContain(`start ${NOW + 2 * HOUR}`);
    expect(lines.filter((line) => line.startsWith("value "))).toHaveLength(12);
    expect(lines.indexOf("end")).toBe(lines.length - 2);
  });
  test("refuses what it cannot hold, and what is none", () => {
    for (const word of ["a b", "", "a\nvalue 1", "x".repeat(65)])
      expect(() => checkSettings({ ...USUAL_SETTINGS, word })).toThrow(UserError);
    for (const text of [
      "",
      "word x",
      renderPolicy(USUAL_SETTINGS, null).replace(/max-delay.*/, "max-delay x"),
    ])
      expect(() => settingsOf(text, "p")).toThrow(UserError);
  });
});
