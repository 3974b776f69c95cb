import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exampleCard } from "../../../test/example-card.ts";
import { poorCard } from "../../../test/sample-card.ts";
import { type Card, parseCard } from "../../core/card.ts";
import { exact, type Figure, withError } from "../../core/index.ts";
import { addFigures } from "./add.ts";
import { mergeCards } from "./merge.ts";
import { unionEnergy } from "./overlap.ts";

const measured = { method: "measured", source: "RAPL" } as const;
const joules = (value: number): Figure<"J"> => exact("J", value, measured);
const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

interface Shape {
  readonly machine?: string;
  readonly from?: number;
  readonly to?: number;
  readonly gross: number;
  readonly net?: number;
  readonly attributed?: number;
  readonly idle?: string;
  readonly changes?: Partial<Card>;
}

/** A run whose energies are given; its headline is the narrowest that it has. */
function run(id: string, shape: Shape): Card {
  const { machine = "m1", from = 0, to = 60, gross, net, attributed, idle, changes } = shape;
  const headline = attributed !== undefined ? "attributed" : net !== undefined ? "net" : "gross";
  const own = attributed ?? net ?? gross;
  return exampleCard({
    id,
    startedAt: at(from),
    endedAt: at(to),
    measures: {
      duration: exact("s", to - from, measured),
      cpuTime: exact("s", 10, measured),
      energy: {
        gross: joules(gross),
        ...(net === undefined ? {} : { net: joules(net) }),
        ...(attributed === undefined ? {} : { attributed: joules(attributed) }),
      },
      emissions: exact("gCO2e", own / 10, measured),
    },
    boundary: {
      headline,
      scope: "component",
      idlePolicy: idle ?? "reserved: the whole machine, since nothing limits the subject",
    },
    components: [{ domain: "cpu", device: "package-0", provider: "rapl", energy: joules(gross) }],
    gaps: [],
    notices: [],
    machine: { ...exampleCard().machine, id: machine },
    ...changes,
  });
}

const merge = (...cards: readonly Card[]): Card =>
  mergeCards(cards, { id: "merged", version: "0.1.0" });
const energyOf = ({ measures }: Card) => measures.energy;

describe("runs on different machines", () => {
  const one = run("a", { machine: "m1", gross: 100 });
  const two = run("b", { machine: "m2", gross: 200, from: 10, to: 90 });

  test("add up, though they overlap in time", () => {
    const card = merge(one, two);
    expect(energyOf(card)?.gross.value).toBe(300);
    expect(card.measures.emissions?.value).toBe(30);
    expect(card.measures.duration.value).toBe(90);
    expect(card.measures.power?.mean.value).toBeCloseTo(300 / 90, 10);
    expect(card.measures.cpuTime?.value).toBe(20);
    expect(card.notices).toEqual([]);
    expect(card.machine).toMatchObject({
      id: "m1+m2",
      cpu: { name: "2 x Example CPU", threads: 16 },
    });
    expect(card.components.map(({ device }) => device)).toEqual(["m1 package-0", "m2 package-0"]);
    expect(card["mergedFrom"]).toEqual(["a", "b"]);
  });

  test("give a valid card, in whatever order they are named", () => {
    const card = merge(two, one);
    expect(parseCard(JSON.parse(JSON.stringify(card))).id).toBe("merged");
    expect(energyOf(card)).toEqual(energyOf(merge(one, two)));
    expect(card.spans.map(({ startS }) => startS)).toEqual([10, 0]);
  });
});

describe("runs on one machine", () => {
  test("one after the other add up", () => {
    const card = merge(run("a", { gross: 100, to: 60 }), run("b", { gross: 50, from: 60, to: 90 }));
    expect(energyOf(card)?.gross.value).toBe(150);
    expect(card.notices).toEqual([]);
  });

  test("that both claim the machine's gross energy are counted once, and it is said", () => {
    const card = merge(run("a", { gross: 100 }), run("b", { gross: 110 }));
    expect(energyOf(card)?.gross.value).toBe(110);
    expect(card.measures.emissions?.value).toBeCloseTo(11, 10);
    expect(card.notices[0]).toContain("a, b overlapped on machine m1 and each counted all of it");
    expect(card.components).toHaveLength(1);
    expect(card.components[0]?.energy.value).toBe(110);
  });

  test("that overlap in part count the overlap once, with an interval that holds both extremes", () => {
    // 10 W for 60 s, 20 W from 40 s to 100 s: 40 x 10 + 20 x 20 + 40 x 20 = 1600, not 1800.
    const card = merge(run("a", { gross: 600 }), run("b", { gross: 1200, from: 40, to: 100 }));
    expect(energyOf(card)?.gross).toMatchObject({
      value: 1600,
      low: 1200,
      high: 1800,
      method: "estimated",
    });
  });

  test("ranks: rank 0 has the machine, the others only their own energy", () => {
    const leader = run("r0", { gross: 1000, net: 300, attributed: 500 });
    const ranks = ["r1", "r2"].map((id) =>
      run(id, { gross: 200, net: 200, idle: "idle energy is on the card of rank 0" }),
    );
    const card = merge(leader, ...ranks);
    expect(energyOf(card)?.attributed?.value).toBe(900);
    expect(energyOf(card)?.gross.value).toBe(1000);
    expect(energyOf(card)?.net?.value).toBe(700);
    expect(card.boundary.headline).toBe("attributed");
    expect(card.notices).toEqual([]);
  });

  test("that both claim all of the idle energy: it is counted once", () => {
    // Active 100 and 200; idle 300, claimed whole by both.
    const card = merge(
      run("a", { gross: 700, net: 100, attributed: 400 }),
      run("b", { gross: 700, net: 200, attributed: 500 }),
    );
    expect(energyOf(card)?.attributed?.value).toBeCloseTo(600, 8);
    expect(card.measures.emissions?.value).toBeCloseTo((90 * 600) / 900, 8);
    expect(card.notices[0]).toContain("2.00 times its idle energy");
  });

  test("that reserved halves of it keep both halves of the idle energy", () => {
    const idle = "reserved: 4 of 8 processors (cpuset)";
    const card = merge(
      run("a", { gross: 700, net: 100, attributed: 250, idle }),
      run("b", { gross: 700, net: 200, attributed: 350, idle }),
    );
    expect(energyOf(card)?.attributed?.value).toBe(600);
    expect(card.notices).toEqual([]);
  });

  test("together never own more than the machine used", () => {
    const idle = "reserved: 4 of 8 processors (cpuset)";
    const card = merge(
      run("a", { gross: 500, net: 300, attributed: 400, idle }),
      run("b", { gross: 500, net: 300, attributed: 400, idle }),
    );
    expect(energyOf(card)?.attributed?.value).toBe(500);
    expect(card.notices[0]).toContain("claimed more than their machine used");
  });

  test("one inside another is left out, since the outer run has it", () => {
    const subject = { kind: "command", name: "train", tags: { inside: "a" } } as const;
    const inner = run("b", { gross: 50, changes: { subject } });
    const card = merge(run("a", { gross: 100 }), inner, run("c", { machine: "m2", gross: 7 }));
    expect(energyOf(card)?.gross.value).toBe(107);
    expect(card.notices[0]).toContain("b ran inside a");
  });

  test("known by its hardware alone may be two machines: said when something is reduced", () => {
    const machine = { ...exampleCard().machine, id: "m1", idBasis: "hardware" };
    const card = merge(
      run("a", { gross: 100, changes: { machine } }),
      run("b", { gross: 100, changes: { machine } }),
    );
    expect(card.notices.join()).toContain("known by its hardware alone");
  });
});

describe("what cannot be added is refused", () => {
  const a = run("a", { gross: 100 });
  test.each([
    ["one run", [a], "there is nothing to merge"],
    ["a run twice", [a, a], "run a is given twice"],
    ["a run without energy", [a, poorCard({ id: "p" })], "run p has no energy"],
    [
      "gross and attributed",
      [a, run("b", { gross: 9, net: 3, attributed: 5 })],
      "unlike energies cannot be added: gross and attributed",
    ],
    [
      "component and wall",
      [a, run("b", { gross: 1, changes: { boundary: { ...a.boundary, scope: "wall" } } })],
      "unlike scopes",
    ],
  ])("%s", (_, cards, message) => {
    expect(() => merge(...(cards as readonly Card[]))).toThrow(message as string);
  });

  test("emissions of average and marginal signals", () => {
    const { signal } = a;
    if (signal === undefined) throw new Error("the example has a signal");
    const b = run("b", {
      machine: "m2",
      gross: 1,
      changes: { signal: { ...signal, kind: "marginal" } },
    });
    expect(() => merge(a, b)).toThrow("unlike emissions");
  });
});

test("a measure that one run lacks is left out of the sum, and said", () => {
  const { water: _water, ...measures } = run("a", { gross: 1 }).measures;
  const a = run("a", {
    gross: 1,
    changes: { measures: { ...measures, water: exact("L", 2, measured) } },
  });
  const card = merge(a, run("b", { machine: "m2", gross: 1 }));
  expect(card.measures.water).toBeUndefined();
  expect(card.notices).toContain("water left out: 1 of 2 runs do not have it");
});

describe("intervals", () => {
  test("errors of one source go together, those of two are independent", () => {
    const model = (source: string) => withError("J", 100, 0.1, { method: "estimated", source });
    const common = addFigures("J", [model("x"), model("x")], "sum");
    const apart = addFigures("J", [model("x"), model("y")], "sum");
    expect(common.high).toBeCloseTo(2 * model("x").high, 8);
    expect(apart.high).toBeLessThan(common.high);
    expect(apart.value).toBe(200);
  });
});

test("of any claims on one machine, the union is between the largest and their sum", () => {
  const claim = fc
    .record({
      from: fc.integer({ min: 0, max: 50 }),
      length: fc.integer({ min: 1, max: 50 }),
      watts: fc.integer({ min: 0, max: 100 }),
    })
    .map(({ from, length, watts }) => ({
      from,
      to: from + length,
      energy: joules(watts * length),
    }));
  fc.assert(
    fc.property(fc.array(claim, { minLength: 1, maxLength: 6 }), (claims) => {
      const { value, low, high } = unionEnergy(claims, "all");
      const sum = claims.reduce((total, { energy }) => total + energy.value, 0);
      const largest = Math.max(...claims.map(({ energy }) => energy.value));
      expect(value).toBeLessThanOrEqual(sum + 1e-6);
      expect(value).toBeGreaterThanOrEqual(largest - 1e-6 - sum * 1e-9);
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
      expect(unionEnergy([...claims].reverse(), "all").value).toBeCloseTo(value, 6);
    }),
  );
});
