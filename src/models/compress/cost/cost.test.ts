import { describe, expect, test } from "vitest";
import { smallNet } from "../../../../test/small-net.ts";
import { createRandom, seconds } from "../../../core/index.ts";
import { measureCosts, ratioOf } from "./measure-cost.ts";
import { settingText, tuneSession } from "./tune-session.ts";

/** A clock that the work itself moves, with noise of some percent from outside. */
function pretendedWork() {
  const random = createRandom(1);
  let used = 0;
  const work = (cost: number) => async (): Promise<void> => {
    used += cost * (1 + 0.1 * random.uniform());
  };
  return { work, cpuClock: () => used };
}

describe("costs of variants in turns", () => {
  test("half the work is told from all of it, and per sample", async () => {
    const { work, cpuClock } = pretendedWork();
    const variants = [
      { name: "whole", run: work(4) },
      { name: "half", run: work(2) },
      { name: "whole, two samples", run: work(4), items: 2 },
      { name: "as much", run: work(4) },
    ];
    const [whole, half, pair, other] = await measureCosts(variants, {
      ...{ rounds: 15, roundTime: seconds(1e-6), cpuClock },
    });
    expect(whole?.ratio).toMatchObject({ value: 1, low: 1, high: 1, verdict: "noise" });
    expect(half?.ratio).toMatchObject({ value: expect.closeTo(0.5, 1), verdict: "less" });
    expect(pair?.ratio.value).toBeCloseTo(0.5, 1);
    expect(other?.ratio.verdict).toBe("noise");
    expect(whole?.cpu.median).toBeCloseTo(4.2, 0);
    expect(whole?.latency.p95).toBeGreaterThanOrEqual(whole?.latency.p50 ?? 0);
  });

  test("an effect smaller than the noise is called noise", () => {
    const base = [10, 12, 9, 14, 10, 11, 13];
    expect(ratioOf([11, 10, 10, 13, 11, 10, 13], base).verdict).toBe("noise");
    expect(
      ratioOf(
        base.map((cost) => cost * 0.8),
        base,
      ),
    ).toMatchObject({ verdict: "less" });
    expect(
      ratioOf(
        base.map((cost) => cost * 1.3),
        base,
      ).verdict,
    ).toBe("more");
  });

  test("what threads still burn after a turn is not charged to the next variant", async () => {
    let used = 0;
    let spinsUntil = 0;
    let seen = performance.now();
    const cpuClock = (): number => {
      const now = performance.now();
      used += Math.max(0, Math.min(now, spinsUntil) - seen) / 1000;
      seen = now;
      return used;
    };
    const [, after] = await measureCosts(
      [
        {
          name: "spins for 50 ms more",
          run: async () => {
            spinsUntil = performance.now() + 50;
          },
        },
        {
          name: "calm",
          run: async () => {
            used += 1;
          },
        },
      ],
      { rounds: 5, roundTime: seconds(1e-6), cpuClock },
    );
    expect(after?.cpu).toEqual({
      median: 1,
      low: expect.closeTo(1, 9),
      high: expect.closeTo(1, 9),
    });
  });

  test("waiting between calls is part of the round", async () => {
    const [waiting] = await measureCosts([{ name: "idle", run: async () => {} }], {
      ...{ rounds: 2, roundTime: seconds(0.02), interval: seconds(0.01) },
    });
    // Two rounds of 20 ms, calls 10 ms apart: without waiting there would be thousands.
    expect(waiting?.runs).toBeGreaterThanOrEqual(2);
    expect(waiting?.runs).toBeLessThanOrEqual(6);
  });
});

describe("session settings", () => {
  test("the base is what ONNX Runtime does by default", async () => {
    const data = new Float32Array(4).fill(1);
    const feeds = { x: { dataType: "float32" as const, dims: [1, 4], data } };
    const { settings, tried } = await tuneSession(smallNet(), feeds, { budget: seconds(0.05) });
    expect(tried.map(({ settings: of }) => of.spinning)).toEqual([true, false]);
    expect(settings.spinning).toBe(false);
    expect(settings.threads).toBeGreaterThan(0);
    expect(settingText({ threads: 1, spinning: true, arena: false })).toBe(
      "1 thread, spinning, arena false",
    );
  });
});
