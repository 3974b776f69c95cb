import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Horizon, pack, type SlotJob } from "./capacity.ts";
import { capacityBound, gapOf } from "./capacity-bound.ts";
import { capacityCurve } from "./capacity-curve.ts";
import { rollingHorizon } from "./rolling-horizon.ts";

const SLOTS = 7;

const jobs = fc
  .array(
    fc.record({
      nodes: fc.integer({ min: 1, max: 2 }),
      slots: fc.integer({ min: 1, max: 3 }),
      earliest: fc.integer({ min: 0, max: 3 }),
      slack: fc.integer({ min: 0, max: 6 }),
      watts: fc.constantFrom(1, 2, 5),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((drawn) =>
    drawn.map(({ slack, ...job }, at): SlotJob => {
      const latestStart = Math.min(job.earliest + slack, SLOTS - job.slots);
      return { ...job, id: `job ${at}`, latestStart };
    }),
  );

const horizons = fc.record({
  capacity: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: SLOTS, maxLength: SLOTS }),
  intensity: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: SLOTS, maxLength: SLOTS }),
});

/** Least cost of placing all jobs, by trying everything; infinite when it cannot be done. */
function exhaustive(open: readonly SlotJob[], { capacity, intensity }: Horizon): number {
  const [job, ...rest] = open;
  if (job === undefined) return 0;
  let best = Infinity;
  for (let start = job.earliest; start <= job.latestStart; start++) {
    const free = Array.from(capacity);
    let cost = 0;
    for (let slot = start; slot < start + job.slots; slot++) {
      free[slot] = (free[slot] ?? -1) - job.nodes;
      cost += job.watts * (intensity[slot] ?? NaN);
    }
    if (free.some((nodes) => nodes < 0)) continue;
    best = Math.min(best, cost + exhaustive(rest, { capacity: free, intensity }));
  }
  return best;
}

describe("packing many jobs on few nodes", () => {
  test("never overfills, never starts late, and says what it left out", () => {
    fc.assert(
      fc.property(jobs, horizons, (open, horizon) => {
        const { starts, unplaced } = pack(open, horizon);
        expect(starts.size + unplaced.length).toBe(open.length);
        const load = new Array<number>(SLOTS).fill(0);
        for (const job of open) {
          const start = starts.get(job.id);
          if (start === undefined) continue;
          expect(start).toBeGreaterThanOrEqual(job.earliest);
          expect(start).toBeLessThanOrEqual(job.latestStart);
          for (let slot = start; slot < start + job.slots; slot++)
            load[slot] = (load[slot] ?? 0) + job.nodes;
        }
        for (const [slot, nodes] of load.entries())
          expect(nodes).toBeLessThanOrEqual(horizon.capacity[slot] ?? 0);
      }),
    );
  });

  test("one job alone gets its optimum", () => {
    fc.assert(
      fc.property(jobs, horizons, ([job], horizon) => {
        if (job === undefined) return;
        const best = exhaustive([job], horizon);
        const { cost, unplaced } = pack([job], horizon);
        expect(unplaced.length === 0 ? cost : Infinity).toBeCloseTo(best, 9);
      }),
    );
  });

  test("lies between the linear bound and, nearly always, the optimum", async () => {
    let [optimal, placed] = [0, 0];
    await fc.assert(
      fc.asyncProperty(jobs, horizons, async (open, horizon) => {
        const best = exhaustive(open, horizon);
        const bound = await capacityBound(open, horizon);
        const { cost, unplaced } = pack(open, horizon);
        if (best === Infinity) {
          expect(unplaced.length).toBeGreaterThan(0);
          return;
        }
        expect(bound.status).toBe("bounded");
        if (bound.status !== "bounded") return;
        expect(bound.cost).toBeLessThanOrEqual(best + 1e-6);
        if (unplaced.length > 0) return;
        expect(cost).toBeGreaterThanOrEqual(best - 1e-9);
        placed++;
        if (cost <= best + 1e-9) optimal++;
      }),
      { numRuns: 40, seed: 7 },
    );
    expect(optimal / placed).toBeGreaterThan(0.8);
  });

  test("without a shortage of nodes the gap is zero", async () => {
    const horizon = { capacity: [9, 9, 9, 9], intensity: [4, 1, 3, 2] };
    const open = ["a", "b"].map((id): SlotJob => {
      return { id, nodes: 2, slots: 2, earliest: 0, latestStart: 2, watts: 10 };
    });
    const { cost } = pack(open, horizon);
    const bound = await capacityBound(open, horizon);
    expect(cost).toBe(2 * 10 * (1 + 3));
    expect(bound).toEqual({ status: "bounded", cost });
    expect(gapOf(cost, cost)).toBe(0);
  });

  test("two jobs that both want the only node: the one that would lose more gets it", () => {
    const horizon = { capacity: [1, 1], intensity: [9, 1] };
    const job = (id: string, watts: number): SlotJob => {
      return { id, nodes: 1, slots: 1, earliest: 0, latestStart: 1, watts };
    };
    const { starts } = pack([job("small", 1), job("large", 5)], horizon);
    expect(starts.get("large")).toBe(1);
    expect(starts.get("small")).toBe(0);
  });
});

describe("rolling horizon", () => {
  test("with everything known from the start and a perfect outlook it is as good as the packing", () => {
    fc.assert(
      fc.property(jobs, horizons, (open, horizon) => {
        const arriving = open.map((job) => ({ ...job, arrives: 0 }));
        const rolled = rollingHorizon(arriving, horizon, () => horizon.intensity);
        const packed = pack(open, horizon);
        expect(rolled.unplaced.length).toBeLessThanOrEqual(packed.unplaced.length);
        if (rolled.unplaced.length === packed.unplaced.length)
          expect(rolled.cost).toBeLessThanOrEqual(packed.cost + 1e-9);
        expect(rolled.starts.size + rolled.unplaced.length).toBe(open.length);
      }),
    );
  });

  test("a better forecast moves what has not started", () => {
    const job = { id: "a", nodes: 1, slots: 1, earliest: 0, latestStart: 3, watts: 1, arrives: 0 };
    const horizon = { capacity: [1, 1, 1, 1], intensity: [5, 5, 5, 1] };
    const early = [5, 5, 1, 5];
    const outlook = (now: number): readonly number[] => (now < 2 ? early : horizon.intensity);
    expect(rollingHorizon([job], horizon, outlook).starts.get("a")).toBe(3);
  });
});

describe("the capacity curve", () => {
  test("holds the flexible work with its margin and costs least, against random curves", () => {
    fc.assert(
      fc.property(
        horizons,
        fc.array(fc.nat(10), { minLength: SLOTS, maxLength: SLOTS }),
        ({ intensity }, weights) => {
          const inflexible = intensity.map(() => 1);
          const demand = { inflexible, flexible: 10, margin: 0.1 };
          const curve = capacityCurve(intensity, demand, 4);
          const flexible = curve.map((nodes) => nodes - 1);
          expect(flexible.reduce((sum, nodes) => sum + nodes, 0)).toBeCloseTo(11, 9);
          expect(Math.max(...curve)).toBeLessThanOrEqual(4);
          const whole = weights.reduce((sum, weight) => sum + weight, 0);
          const other = weights.map((weight) => (11 * weight) / whole);
          if (whole === 0 || Math.max(...other) > 3) return;
          const cost = (nodes: ArrayLike<number>) =>
            intensity.reduce((sum, value, at) => sum + value * (nodes[at] ?? NaN), 0);
          expect(cost(flexible)).toBeLessThanOrEqual(cost(other) + 1e-9);
        },
      ),
    );
  });

  test("work that does not fit is refused, not dropped", () => {
    const demand = { inflexible: [1, 1], flexible: 3, margin: 0 };
    expect(() => capacityCurve([1, 2], demand, 2)).toThrow(/1.0 node-slots do not fit/);
  });
});
