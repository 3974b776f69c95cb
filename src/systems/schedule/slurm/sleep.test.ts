import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exact } from "../../../core/index.ts";
import { type NodeUse, readHistory } from "./read-history.ts";
import { adviseSleep, chooseSleep, replayNode, type SleepOptions } from "./sleep.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;
const declared = { method: "declared", source: "a test" } as const;
const power = {
  idle: exact("W", 100, declared),
  asleep: exact("W", 5, declared),
  boot: exact("J", 60_000, declared),
  bootS: 180,
};
const use = (job: string, start: number, end: number, ...nodes: string[]): NodeUse => ({
  ...{ job, start, end, nodes },
});

test("history is read from lines of sacct; what has not begun is left out, what runs ends now", () => {
  const text =
    "1|100|200|n[1-2]\n2|150|Unknown|n1\n3|Unknown|Unknown|None assigned\n4|None|None|\n\n5|x|y|n1\n";
  expect(readHistory(text, 300)).toEqual([
    use("1", 100, 200, "n1", "n2"),
    use("2", 150, 300, "n1"),
  ]);
});

describe("one node", () => {
  // Idle 0 to 1 h, busy to 2 h, idle to 2 h 5 min, busy to 3 h, idle to 10 h.
  const uses = [use("a", HOUR, 2 * HOUR, "n1"), use("b", 2 * HOUR + 300, 3 * HOUR, "n1")];
  const window = { from: 0, to: 10 * HOUR };

  test("by hand: gaps of 1 h, 5 min and 7 h, with sleep after 10 min", () => {
    const replay = replayNode("n1", { uses, window, power, suspendS: 600 });
    expect(replay.usual).toEqual([100 * (HOUR + 300 + 7 * HOUR)]);
    // 10 min idle, 50 min asleep, a boot; 5 min idle; 10 min idle, 6 h 50 min asleep, nobody comes.
    expect(replay.slept).toEqual([60_000 + 5 * 3000 + 60_000 + 30_000 + 60_000 + 5 * 24_600]);
    expect(replay.wakes).toBe(1);
    expect([...replay.delayed]).toEqual(["a"]);
  });
  test("a node that never sleeps costs what it did", () => {
    const { usual, slept, wakes } = replayNode("n1", { uses, window, power, suspendS: DAY });
    expect(slept).toEqual(usual);
    expect(wakes).toBe(0);
  });
  test("overlapping and nested jobs leave one gap, and none of negative length", () => {
    const shared = [use("a", 100, 500, "n1"), use("b", 200, 300, "n1"), use("c", 400, 900, "n1")];
    const { usual } = replayNode("n1", {
      uses: shared,
      window: { from: 0, to: 1000 },
      power,
      suspendS: 60,
    });
    expect(usual).toEqual([100 * 200]);
  });
});

// Karlin, Manasse, McGeoch and Owicki (1990): going down after as long as a boot is worth of idling costs
// at most twice what an oracle would have spent.
test("with the break-even time no history costs more than twice the oracle's", () => {
  const breakEvenS = power.boot.value / power.idle.value;
  const free = { ...power, asleep: exact("W", 0, declared) };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }), (gaps) => {
      let at = 0;
      const uses = gaps.map((gap, index) => {
        at += gap + 10;
        return use(`${index}`, at - 10, at, "n1");
      });
      const window = { from: 0, to: at };
      const { slept } = replayNode("n1", { uses, window, power: free, suspendS: breakEvenS });
      const cost = slept.reduce((sum, one) => sum + one, 0);
      const oracle = gaps.reduce((sum, gap) => sum + Math.min(100 * gap, free.boot.value), 0);
      expect(cost).toBeLessThanOrEqual(2 * oracle + 1e-6);
    }),
  );
});

describe("the choice", () => {
  const nights = Array.from({ length: 6 }, (_, day) => [
    use(`d${day}`, day * DAY + 8 * HOUR, day * DAY + 20 * HOUR, "n1"),
    use(`q${day}`, day * DAY + 10 * HOUR, day * DAY + 11 * HOUR, "n2"),
  ]).flat();
  const options: SleepOptions = {
    ...{ nodes: ["n1", "n2", "n3"], uses: nights, window: { from: 0, to: 6 * DAY }, power },
    ...{ maxDelayed: 1, suspendTimes: [60, 600, HOUR] },
  };

  test("is the best of all, over times and sets of nodes", () => {
    const choice = chooseSleep(options);
    const saved = (nodes: readonly string[], suspendS: number): number =>
      nodes
        .map((node) => {
          const uses = nights.filter(({ nodes: own }) => own.includes(node));
          const { usual, slept } = replayNode(node, { ...options, uses, suspendS });
          return usual.reduce((sum, one, day) => sum + one - (slept[day] ?? 0), 0);
        })
        .reduce((sum, one) => sum + one, 0);
    const subsets = [
      [],
      ["n1"],
      ["n2"],
      ["n3"],
      ["n1", "n2"],
      ["n1", "n3"],
      ["n2", "n3"],
      ["n1", "n2", "n3"],
    ];
    const best = Math.max(
      ...subsets.flatMap((nodes) => options.suspendTimes.map((time) => saved(nodes, time))),
    );
    expect(saved(choice?.sleepers.map(({ node }) => node) ?? [], choice?.suspendS ?? 0)).toBe(best);
  });
  test("makes no more jobs wait than allowed", () => {
    expect(chooseSleep({ ...options, maxDelayed: 0 })?.sleepers.map(({ node }) => node)).toEqual([
      "n3",
    ]);
    const half = chooseSleep({ ...options, maxDelayed: 0.5 })?.sleepers.map(({ node }) => node);
    expect(half).toEqual(["n3", "n2"]);
  });
  test("is none where a boot costs more than any gap", () => {
    const boot = exact("J", 1e12, declared);
    const busy = nights.concat(use("z", 0, 6 * DAY, "n3"));
    const last = [use("y1", 6 * DAY - 1, 6 * DAY, "n1", "n2")];
    expect(
      adviseSleep({
        ...options,
        uses: [...busy, ...last].sort((a, b) => a.start - b.start),
        power: { ...power, boot },
      }),
    ).toBeNull();
  });
  test("is judged against never sleeping, and where it was not chosen", () => {
    const advice = adviseSleep(options);
    expect(advice?.baseline.value).toBe(100 * 6 * (12 + 23 + 24) * HOUR);
    expect(advice?.saved.value).toBeGreaterThan(0);
    expect(advice?.saved.low).toBeLessThanOrEqual(advice?.saved.value ?? 0);
    expect(advice?.saved.high).toBeGreaterThanOrEqual(advice?.saved.value ?? 0);
    expect(advice?.savedPerDayHeldOut).toBeCloseTo((advice?.saved.value ?? 0) / 6, -6);
    expect(advice).toMatchObject({ wakes: 12, delayedJobs: 12, jobs: 12 });
  });
});
