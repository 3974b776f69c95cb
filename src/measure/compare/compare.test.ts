import { describe, expect, test } from "vitest";
import { exampleCard } from "../../../test/example-card.ts";
import type { Card } from "../../core/card.ts";
import { exact, type Method, withError } from "../../core/index.ts";
import { type Comparison, compareCards } from "./compare.ts";

const clock = { method: "measured", source: "monotonic clock" } as const;

/** A card whose headline energy and duration are given. */
function run(
  joules: number,
  changes: Partial<Card> & { sigma?: number; method?: Method; seconds?: number } = {},
): Card {
  const { sigma = 0.03, method = "measured", seconds = 60, ...rest } = changes;
  const { power: _power, cpuTime: _cpuTime, ...measures } = exampleCard().measures;
  const origin = { method, source: "RAPL package-0" };
  return exampleCard({
    measures: {
      ...measures,
      duration: exact("s", seconds, clock),
      energy: { gross: withError("J", joules, sigma, origin) },
      emissions: withError("gCO2e", joules * 1e-4, Math.hypot(sigma, 0.3), {
        method: "estimated",
        source: "energy x intensity",
      }),
    },
    boundary: { headline: "gross", scope: "component", idlePolicy: "all" },
    ...rest,
  });
}

const compare = (baseline: readonly Card[], candidate: readonly Card[]): Comparison =>
  compareCards({ baseline, candidate });

const rowOf = ({ rows }: Comparison, key: string) => {
  const row = rows.find((one) => one.key === key);
  if (row === undefined) throw new Error(`no row ${key}`);
  return row;
};

describe("one run each", () => {
  test("a card is within noise of itself, in every row", () => {
    const comparison = compare([run(1000)], [run(1000)]);
    expect(comparison.verdict).toBe("within noise");
    expect(new Set(comparison.rows.map(({ verdict }) => verdict))).toEqual(
      new Set(["within noise"]),
    );
  });

  test("a clear saving is better, the same the other way round is worse", () => {
    const saving = compare([run(1000)], [run(700)]);
    expect(saving).toMatchObject({ headline: "energy_gross", verdict: "better" });
    expect(compare([run(700)], [run(1000)]).verdict).toBe("worse");
    expect(rowOf(saving, "energy_gross").ratio?.value).toBeCloseTo(0.7, 10);
  });

  test("has the interval of both sensors and the assumed spread", () => {
    // By hand: sigma = sqrt(2 (0.03^2 + 0.05^2)) = 0.08246; 1.645 sigma = 0.1356.
    const { ratio } = rowOf(compare([run(1000)], [run(900)]), "energy_gross");
    expect(ratio?.low).toBeCloseTo(0.9 * Math.exp(-0.13564), 4);
    expect(ratio?.high).toBeCloseTo(0.9 * Math.exp(0.13564), 4);
    expect(ratio).toMatchObject({ test: "z", freedom: null });
  });

  test("an estimate of 30 % cannot tell a third from noise, though the clock can", () => {
    const estimate = { sigma: 0.3, method: "estimated" } as const;
    const comparison = compare([run(900, estimate)], [run(600, { ...estimate, seconds: 40 })]);
    expect(comparison.verdict).toBe("within noise");
    expect(rowOf(comparison, "duration").verdict).toBe("better");
  });

  test("a clock without an interval is not certain: runs differ from one another", () => {
    const comparison = compare([run(1000, { seconds: 60 })], [run(1000, { seconds: 61 })]);
    expect(rowOf(comparison, "duration").verdict).toBe("within noise");
    expect(comparison.assumedSpread).toBe(0.05);
    expect(comparison.method).toContain("5 %");
  });

  test("a count needs no assumption: one parameter less is less", () => {
    const sized = (count: number): Card => {
      const card = run(1000);
      const parameters = exact("parameters", count, { method: "declared", source: "the file" });
      return { ...card, measures: { ...card.measures, parameters } };
    };
    const row = rowOf(compare([sized(1000)], [sized(999)]), "parameters");
    expect(row).toMatchObject({ verdict: "better", ratio: { test: "exact", p: 0 } });
  });

  test("the intensity that both sides share does not blur their emissions", () => {
    // The signal's own 30 % is in both figures; only 3 % and the spread are left.
    const { ratio } = rowOf(compare([run(1000)], [run(700)]), "emissions");
    expect(ratio?.high).toBeCloseTo(0.7 * Math.exp(0.13564), 3);
  });
});

describe("repeats", () => {
  const repeats = (values: readonly number[], changes = {}): readonly Card[] =>
    values.map((joules, index) => run(joules, { id: `run-${joules}-${index}`, ...changes }));
  const before = [1000, 1010, 990, 1005, 995];
  const after = [950, 955, 945, 952, 948];

  test("tell 5 % that single runs could not", () => {
    expect(compare([run(1000)], [run(950)]).verdict).toBe("within noise");
    const comparison = compare(repeats(before), repeats(after));
    expect(comparison.verdict).toBe("better");
    expect(comparison.assumedSpread).toBeNull();
    expect(rowOf(comparison, "energy_gross").ratio).toMatchObject({ test: "welch" });
  });

  test("summarise by the geometric mean with Student's interval", () => {
    const { baseline } = rowOf(
      compare(repeats([500, 2000]), repeats([1000, 1000])),
      "energy_gross",
    );
    expect(baseline?.value).toBeCloseTo(1000, 8);
    // ln 2 on both sides, divided by sqrt(2) times sqrt(2), times t(0.95; 1) = 6.3138.
    expect(baseline?.high).toBeCloseTo(1000 * Math.exp(6.313752 * Math.LN2), 0);
    expect(baseline?.runs).toBe(2);
  });

  test("the error of one sensor cancels; that of two different ones does not", () => {
    const wide = { sigma: 0.3 };
    expect(compare(repeats(before, wide), repeats(after, wide)).verdict).toBe("better");
    const estimated = { sigma: 0.3, method: "estimated" };
    const unlike = compare(repeats(before, wide), repeats(after, estimated));
    expect(unlike.verdict).toBe("within noise");
    expect(unlike.warnings.join()).toContain("measured against estimated");
    const elsewhere = { ...wide, machine: { ...exampleCard().machine, id: "other" } };
    const apart = compare(repeats(before, wide), repeats(after, elsewhere));
    expect(apart.verdict).toBe("within noise");
    expect(apart.warnings.join()).toContain("Different machines");
  });

  test("one run against several borrows their spread", () => {
    const comparison = compare(repeats(before), [run(700)]);
    expect(comparison.verdict).toBe("better");
    expect(rowOf(comparison, "energy_gross").ratio?.freedom).toBe(4);
  });
});

describe("unlike boundaries", () => {
  const boundary = run(1).boundary;

  test("component against wall: energies and emissions are refused, time is not", () => {
    const comparison = compare(
      [run(1000)],
      [run(500, { boundary: { ...boundary, scope: "wall" } })],
    );
    expect(comparison.verdict).toBe("not comparable");
    expect(rowOf(comparison, "energy_gross")).toMatchObject({
      verdict: "not comparable",
      ratio: null,
      reason: "unlike boundaries: component against wall",
    });
    expect(rowOf(comparison, "emissions").verdict).toBe("not comparable");
    expect(rowOf(comparison, "duration").verdict).toBe("within noise");
  });

  test("average against marginal intensity: emissions are refused, energy is not", () => {
    const { signal } = exampleCard();
    if (signal === undefined) throw new Error("the example has a signal");
    const comparison = compare(
      [run(1000)],
      [run(500, { signal: { ...signal, kind: "marginal" } })],
    );
    expect(comparison.verdict).toBe("better");
    expect(rowOf(comparison, "emissions").reason).toContain("average against marginal");
  });

  test("another grid is allowed and said", () => {
    const { signal } = exampleCard();
    if (signal === undefined) throw new Error("the example has a signal");
    const comparison = compare([run(1000)], [run(100, { signal: { ...signal, zone: "FR" } })]);
    expect(rowOf(comparison, "emissions").verdict).toBe("better");
    expect(comparison.warnings.join()).toContain("Different grids");
  });

  test("an unlike headline: like energies are compared, emissions are refused", () => {
    const example = exampleCard();
    const net = exampleCard({ boundary: { ...example.boundary, headline: "net" } });
    const comparison = compare([example], [net]);
    expect(comparison).toMatchObject({ headline: "energy_gross", verdict: "within noise" });
    expect(rowOf(comparison, "emissions").reason).toContain("attributed against net");
  });

  test("an interrupted run is a part of one, and no part is compared with a whole", () => {
    const comparison = compare([run(1000)], [run(10, { id: "cut", status: "interrupted" })]);
    expect(comparison.verdict).toBe("not comparable");
    expect(rowOf(comparison, "duration").reason).toContain("cut was interrupted");
  });

  test("a failed run is compared and named", () => {
    expect(compare([run(1000)], [run(10, { id: "oops", status: "failed" })]).warnings).toContain(
      "Failed runs are among them: oops.",
    );
  });

  test("what one side lacks, and zero, have no ratio", () => {
    const { emissions: _, ...measures } = run(1000).measures;
    const lacking = compare([run(1000)], [run(1000, { measures })]);
    expect(rowOf(lacking, "emissions").reason).toBe("only the baseline has it");
    const zero = compare([run(0)], [run(10)]);
    expect(zero.verdict).toBe("not comparable");
    expect(rowOf(zero, "energy_gross").reason).toContain("below the resolution");
  });
});

describe("quality", () => {
  const rated = (metric: string, value: number, half?: number, id = "q"): Card =>
    run(1000, {
      id,
      quality: {
        metric,
        value,
        ...(half === undefined ? {} : { low: value - half, high: value + half }),
      },
    });

  test("has the direction of its metric", () => {
    expect(
      compare([rated("accuracy", 0.9, 0.01)], [rated("accuracy", 0.8, 0.01)]).quality,
    ).toMatchObject({
      verdict: "worse",
      difference: { value: expect.closeTo(-0.1, 12) },
    });
    expect(compare([rated("rmse", 0.9, 0.01)], [rated("rmse", 0.8, 0.01)]).quality?.verdict).toBe(
      "better",
    );
    expect(compare([rated("zing", 0.9, 0.01)], [rated("zing", 0.8, 0.01)]).quality?.verdict).toBe(
      "differs",
    );
  });

  test("within both intervals is within noise", () => {
    const { quality } = compare([rated("accuracy", 0.9, 0.02)], [rated("accuracy", 0.89, 0.02)]);
    expect(quality?.verdict).toBe("within noise");
  });

  test("without an interval is not judged", () => {
    const { quality } = compare([rated("accuracy", 0.9)], [rated("accuracy", 0.89)]);
    expect(quality).toMatchObject({ verdict: "differs", difference: null });
  });

  test("of another metric is refused", () => {
    const { quality } = compare([rated("accuracy", 0.9)], [rated("f1", 0.9)]);
    expect(quality?.verdict).toBe("not comparable");
  });
});

test("an empty side is a bug of the caller", () => {
  expect(() => compareCards({ baseline: [], candidate: [run(1)] })).toThrow(RangeError);
});
