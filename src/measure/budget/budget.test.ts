import { describe, expect, test } from "vitest";
import { exampleCard } from "../../../test/example-card.ts";
import type { Card } from "../../core/card.ts";
import { createRandom, exact, type Method, withError } from "../../core/index.ts";
import { type Budget, budgetJsonSchema, parseBudget } from "./budget-file.ts";
import { firstBudget } from "./first-budget.ts";
import { judgeBudget } from "./judge.ts";

const clock = { method: "measured", source: "monotonic clock" } as const;

/** A run whose gross energy and running time are given; its sensor errs by `sigma`. */
function run(
  joules: number,
  { sigma = 0, seconds = 60, method = "measured" as Method, ...rest } = {},
): Card {
  const origin = { method, source: "RAPL" };
  return exampleCard({
    id: `r${joules}-${seconds}-${Math.random()}`,
    measures: {
      duration: exact("s", seconds, clock),
      cpuTime: exact("s", seconds * 2, clock),
      modelSize: exact("B", 1000, { method: "measured", source: "the file" }),
      energy: {
        gross: sigma === 0 ? exact("J", joules, origin) : withError("J", joules, sigma, origin),
      },
    },
    boundary: { headline: "gross", scope: "component", idlePolicy: "all" },
    ...rest,
  });
}

const budget = (changes: Partial<Budget>): Budget => ({
  name: "b",
  runs: { name: "train" },
  metric: "energy_j",
  repeats: 1,
  ...changes,
});

const judge = (changes: Partial<Budget>, runs: readonly Card[], base: readonly Card[] = []) =>
  judgeBudget(budget(changes), { runs, base, intensity: 400 });

describe("an absolute budget", () => {
  test("is exceeded, kept or undecided by where the whole interval lies", () => {
    // One run: 5 % is assumed, so the interval is 100 x exp(-+ 1.645 x 0.05) = 92.1 to 108.6.
    const one = [run(100)];
    expect(judge({ limit: 92 }, one)).toMatchObject({ verdict: "exceeded" });
    expect(judge({ limit: 93 }, one)).toMatchObject({ verdict: "inconclusive" });
    expect(judge({ limit: 108 }, one)).toMatchObject({ verdict: "inconclusive" });
    expect(judge({ limit: 109 }, one)).toMatchObject({ verdict: "within" });
    expect(judge({ limit: 92 }, one).observed?.low).toBeCloseTo(
      100 * Math.exp(-1.6448536 * 0.05),
      6,
    );
  });

  test("takes the spread from repeats, by Student's t", () => {
    // ln of 100 e^(+-0.01): mean 0, s = 0.01 sqrt 2, error of the mean 0.01, t(0.95; 1) = 6.3138.
    const two = [run(100 * Math.exp(0.01)), run(100 * Math.exp(-0.01))];
    const { observed } = judge({ limit: 100, repeats: 2 }, two);
    expect(observed?.value).toBeCloseTo(100, 8);
    expect(observed?.high).toBeCloseTo(100 * Math.exp(0.06313752), 3);
  });

  test("repeats do not average away what the sensor itself errs by", () => {
    const many = Array.from({ length: 30 }, () => run(100, { sigma: 0.1 }));
    const { observed, verdict } = judge({ limit: 90, repeats: 30 }, many);
    expect(observed?.low).toBeCloseTo(100 * Math.exp(-1.6448536 * 0.1), 4);
    expect(verdict).toBe("inconclusive");
  });

  test("an estimate of 30 % fails no build by its noise", () => {
    const estimate = [run(130, { sigma: 0.3, method: "estimated" })];
    expect(judge({ limit: 100 }, estimate)).toMatchObject({
      verdict: "inconclusive",
      methods: ["estimated"],
    });
  });

  test("is about counts exactly", () => {
    expect(judge({ metric: "model_size_bytes", limit: 1000 }, [run(1)]).verdict).toBe("within");
    const result = judge({ metric: "model_size_bytes", limit: 999 }, [run(1)]);
    expect(result).toMatchObject({ verdict: "exceeded", isProxy: true });
  });

  test("emissions are at the file's fixed intensity, whatever the run's grid was", () => {
    // 3.6 MJ is 1 kWh; at 400 g/kWh 400 g. The card's own signal says 380.
    const result = judge({ metric: "emissions_gco2e", limit: 500 }, [run(3.6e6)]);
    expect(result.observed?.value).toBeCloseTo(400, 8);
    expect(result).toMatchObject({ verdict: "within", unit: "gCO2e", isProxy: false });
  });

  test("per item divides by the budget's items, else by the samples of the quality", () => {
    const metric = "energy_per_item_j";
    const quality = { metric: "accuracy", value: 0.9, samples: 50 };
    expect(judge({ metric, items: 10, limit: 1 }, [run(100)]).observed?.value).toBeCloseTo(10, 10);
    expect(
      judge({ metric, limit: 1 }, [run(100, { quality } as object)]).observed?.value,
    ).toBeCloseTo(2, 10);
    expect(judge({ metric, limit: 1 }, [run(100)])).toMatchObject({
      verdict: "missing",
      reason: expect.stringContaining("set items"),
    });
  });

  test("exactly at its limit is called exceeded in about one check of twenty", () => {
    const random = createRandom(7);
    const trials = 2000;
    let exceeded = 0;
    for (let trial = 0; trial < trials; trial++) {
      const runs = Array.from({ length: 5 }, () => run(100 * Math.exp(0.04 * random.normal())));
      if (judge({ limit: 100, repeats: 5 }, runs).verdict === "exceeded") exceeded++;
    }
    // 5 % of 2,000 with a standard error of 0.5 %: within four of them.
    expect(exceeded / trials).toBeGreaterThan(0.03);
    expect(exceeded / trials).toBeLessThan(0.07);
  });
});

describe("a budget against a base", () => {
  const base = [100, 101, 99, 100.5, 99.5].map((joules) => run(joules));
  const worse = { base: { name: "main" }, tolerance: 0.05, repeats: 5 };

  test("lets through what is within the tolerance, and names a clear regression", () => {
    const same = [100, 100.6, 99.4, 100.2, 99.8].map((joules) => run(joules));
    const bad = [120, 121, 119, 120.5, 119.5].map((joules) => run(joules));
    expect(judge(worse, same, base).verdict).toBe("within");
    const result = judge(worse, bad, base);
    expect(result).toMatchObject({ verdict: "exceeded", kind: "relative", limit: 1.05 });
    expect(result.ratio?.value).toBeCloseTo(1.2, 2);
  });

  test("one run each cannot tell 5 % from noise", () => {
    const result = judge({ ...worse, repeats: 1 }, [run(108)], [run(100)]);
    expect(result.verdict).toBe("inconclusive");
  });

  test("per item, a run with twice the items may use twice the energy", () => {
    const withSamples = (joules: number, samples: number) =>
      run(joules, { quality: { metric: "accuracy", value: 1, samples } } as object);
    const before = [100, 101, 99].map((joules) => withSamples(joules, 10));
    const after = [200, 202, 198].map((joules) => withSamples(joules, 20));
    const terms = { ...worse, metric: "energy_per_item_j", repeats: 3 } as const;
    const result = judge(terms, after, before);
    expect(result.ratio?.value).toBeCloseTo(1, 6);
    expect(result.verdict).toBe("within");
  });

  test("unlike boundaries are not compared", () => {
    const wall = run(100, {
      boundary: { headline: "gross", scope: "wall", idlePolicy: "all" },
    } as object);
    expect(judge({ ...worse, repeats: 1 }, [run(500)], [wall])).toMatchObject({
      verdict: "inconclusive",
      reason: expect.stringContaining("unlike boundaries"),
    });
  });

  test("without a base there is nothing to judge", () => {
    expect(judge(worse, base, []).verdict).toBe("missing");
  });
});

describe("too little to judge", () => {
  test("no run, or no figure, is missing and not success", () => {
    expect(judge({ limit: 1 }, [])).toMatchObject({ verdict: "missing", observed: null });
    const silent = exampleCard({ measures: { duration: exact("s", 1, clock) } });
    expect(judge({ limit: 1 }, [silent]).reason).toContain("no energy");
    expect(judge({ limit: 1, metric: "flops" }, [silent]).verdict).toBe("missing");
  });

  test("fewer runs than asked for is inconclusive, even when they look clear", () => {
    expect(judge({ limit: 1, repeats: 5 }, [run(100), run(101)])).toMatchObject({
      verdict: "inconclusive",
      reason: "2 of 5 runs are there",
    });
  });

  test("a time of zero has no logarithm and no verdict", () => {
    expect(judge({ metric: "duration_s", limit: 1 }, [run(1, { seconds: 0 })]).verdict).toBe(
      "inconclusive",
    );
  });
});

describe("the file", () => {
  const text = (changes: object, budgets: readonly object[]): string =>
    JSON.stringify({ schema: "godwit.budget/1", ...changes, budgets });
  const entry = { name: "a", runs: { name: "x" }, metric: "energy_j", limit: 5 };

  test("one run is judged unless more are asked for", () => {
    expect(parseBudget(text({}, [entry]), "f").budgets[0]).toEqual({ ...entry, repeats: 1 });
  });

  test.each([
    ["{", "f is no JSON"],
    [text({}, []), "budgets"],
    [text({}, [{ ...entry, limit: 0 }]), "budgets.0.limit"],
    [text({}, [{ ...entry, metric: "energy" }]), "budgets.0.metric"],
    [text({}, [{ ...entry, typo: 1 }]), "typo"],
    [text({}, [entry, entry]), "two budgets have the same name"],
    [text({}, [{ ...entry, base: { name: "y" }, tolerance: 0 }]), "either limit or base"],
    [text({}, [{ name: "a", runs: { name: "x" }, metric: "energy_j" }]), "either limit or base"],
    [text({}, [{ ...entry, tolerance: 0.1 }]), "belong together"],
    [text({}, [{ ...entry, metric: "emissions_gco2e" }]), "needs intensity_gco2e_per_kwh"],
    [text({ schema: "godwit.budget/2" }, [entry]), "schema"],
  ])("refuses %s", (content, fault) => {
    expect(() => parseBudget(content, "f")).toThrow(fault);
  });

  test("has a JSON Schema that names every metric", () => {
    expect(JSON.stringify(budgetJsonSchema())).toContain("emissions_per_item_gco2e");
  });

  test("a first one is valid, budgets energy only where a sensor told it, and is kept at once", () => {
    const sensed = firstBudget(run(100));
    expect(parseBudget(JSON.stringify(sensed), "f")).toEqual(sensed);
    expect(sensed.budgets.map(({ metric, limit }) => [metric, limit])).toEqual([
      ["energy_j", 110],
      ["model_size_bytes", 1100],
    ]);
    const guessed = firstBudget(run(100, { method: "estimated", sigma: 0.3 }));
    expect(guessed.budgets[0]?.metric).toBe("cpu_time_s");
    expect(() =>
      firstBudget(exampleCard({ measures: { duration: exact("s", 1, clock) } })),
    ).toThrow("nothing to budget");
  });
});
