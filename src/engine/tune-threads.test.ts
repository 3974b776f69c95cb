import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../test/engines.ts";
import { seconds } from "../core/index.ts";
import { graphLiteral, node, port } from "./graph-literal.ts";
import { choose, powersUpTo, type ThreadRow, tuneThreads } from "./tune-threads.ts";

const row = (threads: number, latency: number, cpu: number): ThreadRow => ({
  threads,
  latency: seconds(latency),
  cpu: seconds(cpu),
  cost: cpu,
  rounds: 3,
});
// Two threads nearly halve the latency for 10 % more CPU time; four gain little.
const rows = [row(1, 0.01, 0.01), row(2, 0.006, 0.011), row(4, 0.005, 0.018)];

describe("the choice of threads", () => {
  test("is the one with the least CPU time when nothing presses", () => {
    expect(choose(rows, null)).toMatchObject({ threads: 1, keepsLatency: true });
  });

  test("is the cheapest that keeps the latency", () => {
    expect(choose(rows, seconds(0.007)).threads).toBe(2);
    expect(choose(rows, seconds(0.0055)).threads).toBe(4);
  });

  test("is the fastest, and says that it is too slow, when none keeps it", () => {
    expect(choose(rows, seconds(0.001))).toMatchObject({ threads: 4, keepsLatency: false });
  });

  test("prefers fewer threads among equals", () => {
    expect(choose([row(1, 0.01, 0.0102), row(2, 0.006, 0.01)], null).threads).toBe(1);
    expect(choose([row(4, 0.01, 0.01), row(2, 0.006, 0.01)], null).threads).toBe(2);
  });

  test("tries powers of two and the limit", () => {
    expect([1, 2, 3, 8, 12].map(powersUpTo)).toEqual([
      [1],
      [1, 2],
      [1, 2, 3],
      [1, 2, 4, 8],
      [1, 2, 4, 8, 12],
    ]);
  });
});

test.skipIf(nativeMissing !== null)(
  "a machine is really measured, and idle power weighs in",
  async () => {
    const model = graphLiteral(
      [node("MatMul", ["a", "a"], ["b"])],
      [port("a", "float32", [64, 64])],
      [port("b", "float32", [64, 64])],
    );
    const choice = await tuneThreads(
      model,
      { a: new Float32Array(64 * 64) },
      { candidates: [1, 2], budget: seconds(0.1), idleShare: 2 },
    );
    expect(choice.rows.map(({ threads }) => threads)).toEqual([1, 2]);
    for (const { latency, cpu, cost, rounds } of choice.rows) {
      expect(rounds).toBeGreaterThanOrEqual(3);
      expect(latency).toBeGreaterThan(0);
      expect(cost).toBeCloseTo(cpu + 2 * latency, 12);
    }
  },
);
