// Plans as pictures, words and pages. A chart takes its colours from the page around it; that page was looked
// at in light and dark.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PLAN_NOW, samplePlan } from "../../test/sample-plan.ts";
import { timeZone } from "../core/time-zone.ts";
import { FREE_INTERRUPTION } from "../systems/schedule/index.ts";
import { planChart, signalBar } from "./charts/index.ts";
import { wallTicks } from "./charts/plan.ts";
import { renderPlanPage } from "./plan-page.ts";
import { answerOf, latestStartText, momentText, planData } from "./plan-words.ts";

const HOUR = 3600;
const at = (text: string): number => Date.parse(text) / 1000;
const size = { id: "p", width: 480, height: 240 };

/** One element a line, so that a change shows in a review. */
const pretty = (svg: string): string => `${svg.replaceAll("><", ">\n<")}\n`;

describe("the picture of a plan", () => {
  const svg = planChart(planData(samplePlan()), size);

  test("is the picture that was looked at", async () => {
    await expect(pretty(svg)).toMatchFileSnapshot("../../test/golden/plan.svg");
  });

  test("tells a screen reader what it shows, in local time", () => {
    expect(svg).toContain('role="img"');
    expect(svg).toContain('aria-labelledby="p-title p-desc"');
    expect(svg).toContain(
      "The job runs Fri 2026-01-02 09:00 to Fri 2026-01-02 13:00. " +
        "Its latest start is Fri 2026-01-02 14:00, its deadline Fri 2026-01-02 18:00, Europe/Berlin.",
    );
  });

  test("hatches each stretch of an interrupted job", () => {
    const interrupted = samplePlan({ interruptible: FREE_INTERRUPTION });
    const { runs } = interrupted.advice.jobPlan;
    const drawn = planChart(planData(interrupted), size).match(/<path fill="url\(#p-hatch-1\)"/g);
    expect(drawn).toHaveLength(runs.length);
  });

  test("a window of an hour and one of a year are drawn without NaN", () => {
    const data = planData(samplePlan());
    for (const deadline of [PLAN_NOW + 1, PLAN_NOW + 365 * 24 * HOUR])
      expect(planChart({ ...data, deadline }, size)).not.toMatch(/NaN|Infinity/);
  });
});

describe("ticks of a wall clock", () => {
  const labels = (from: string, to: string, most: number, zone = "Europe/Berlin") =>
    wallTicks([at(from), at(to)], timeZone(zone), most).map(({ label }) => label);

  test("stand at round local times, midnight by its day", () => {
    expect(labels("2026-01-01T17:00Z", "2026-01-02T17:00Z", 5)).toEqual([
      ...["18:00", "Fri 2", "06:00", "12:00", "18:00"],
    ]);
    expect(labels("2026-01-01T17:00Z", "2026-01-02T05:00Z", 3, "Asia/Kathmandu")).toEqual([
      "Fri 2",
      "06:00",
    ]);
  });

  test("stay at round times over the night in which clocks go forward", () => {
    expect(labels("2026-03-28T17:00Z", "2026-03-29T16:00Z", 4)).toEqual([
      ...["18:00", "Sun 29", "06:00", "12:00", "18:00"],
    ]);
  });

  test("are few for a long window", () => {
    expect(labels("2026-01-01T00:00Z", "2026-03-01T00:00Z", 10).length).toBeLessThanOrEqual(10);
  });
});

describe("the bar of a terminal", () => {
  const data = planData(samplePlan());

  test("has a cell for each hour, the lowest where the job runs", () => {
    const [signal, marks] = signalBar(data, { width: 60, unicode: true });
    expect(signal).toBe("▆▇▇█████▇▇▆▅▃▃▂▁▁▁▁▁▂▃▃▅");
    expect(marks).toBe("               ==== |   ");
  });

  test("is ASCII where the terminal speaks nothing else", () => {
    const [signal, marks] = signalBar(data, { width: 60, unicode: false });
    expect(signal + marks).toMatch(/^[ -~]+$/);
  });

  test("is as wide as there is room, both lines alike, and shows a run of any length", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 60, max: 20 * HOUR }),
        fc.integer({ min: 0, max: 3 * HOUR }),
        (width, length, wait) => {
          const runs = [{ start: PLAN_NOW + wait, end: PLAN_NOW + wait + length }];
          const [signal, marks] = signalBar({ ...data, runs }, { width, unicode: true });
          expect(signal.length).toBe(Math.min(width, 24));
          expect(marks.length).toBe(signal.length);
          expect(marks).toContain("=");
        },
      ),
    );
  });
});

describe("the words of a plan", () => {
  test("times are local, with UTC and its date where that is another", () => {
    const berlin = timeZone("Europe/Berlin");
    expect(momentText(at("2026-01-02T08:00Z"), berlin)).toBe(
      "Fri 2026-01-02 09:00 Europe/Berlin (08:00 UTC)",
    );
    expect(momentText(at("2026-01-01T23:30Z"), berlin)).toBe(
      "Fri 2026-01-02 00:30 Europe/Berlin (2026-01-01 23:30 UTC)",
    );
    expect(momentText(at("2026-01-01T23:30Z"), timeZone("UTC"))).toBe("Thu 2026-01-01 23:30 UTC");
  });

  test("say when to start, what it is worth, and until when a start is safe", () => {
    const view = samplePlan();
    expect(answerOf(view).title).toBe(
      "Start at Fri 2026-01-02 09:00 Europe/Berlin (08:00 UTC), in 15 h",
    );
    expect(answerOf(view).why).toMatch(/^Expected to emit \d+\.\d % less .*: reallocated\.$/);
    expect(latestStartText(view)).toBe(
      "Fri 2026-01-02 14:00 Europe/Berlin (13:00 UTC): the deadline less 4 h",
    );
  });
});

describe("the page of a plan", () => {
  test("has nothing that runs or is fetched, and escapes every name", () => {
    const page = renderPlanPage({ ...samplePlan({}, "<img src=x onerror=1>"), version: "1.0.0" });
    expect(page).toContain("default-src &#39;none&#39;");
    expect(page).not.toMatch(/<script|<img/);
    expect(page).toContain("&lt;img src=x onerror=1&gt;");
  });

  test("shows the forecast as a table too, with the hours in which the job runs", () => {
    const page = renderPlanPage({ ...samplePlan(), version: "1.0.0" });
    expect(page.match(/<td>1 h<\/td>/g)).toHaveLength(4);
  });
});
