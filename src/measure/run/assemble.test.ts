import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluate } from "../../../test/formula.ts";
import {
  endRecord,
  everySecond,
  MACHINE,
  sensorRecord,
  startRecord,
  steadyRun,
  ticksAt,
} from "../../../test/run-records.ts";
import { parseCard } from "../../core/card.ts";
import { exact, figure, withError } from "../../core/index.ts";
import { assemble } from "./assemble.ts";
import type { SegmentRecord } from "./record.ts";

const declared = { method: "declared", source: "a test" } as const;
const one = (value: number) => exact("1", value, declared);

describe("a steady run", () => {
  test("without a baseline follows Kepler: half of the power is active, half of that the subject's", () => {
    const card = assemble(steadyRun());
    expect(card.measures.energy?.gross.value).toBe(500);
    expect(card.measures.energy?.net?.value).toBeCloseTo(125, 9);
    // The whole machine is reserved: 125 J active and 250 J idle.
    expect(card.measures.energy?.attributed?.value).toBeCloseTo(375, 9);
    expect(card.boundary).toMatchObject({ headline: "attributed", scope: "component" });
    expect(card.measures.power?.mean.value).toBeCloseTo(37.5, 9);
    expect(card.measures.power?.peak?.value).toBeCloseTo(37.5, 9);
    // 375 J at 360 g/kWh: 375 / 3.6e6 * 360 = 0.0375 g.
    expect(card.measures.emissions?.value).toBeCloseTo(0.0375, 12);
    expect(card.conservation).toMatchObject({
      measuredJ: 500,
      attributedJ: 375,
      unattributedJ: 125,
    });
    expect(card.status).toBe("complete");
  });

  test("of work that saves something says when that has paid the work back", () => {
    const savedPerUse = figure("J", 0.5, { low: 0.25, high: 1 }, declared);
    const card = assemble(steadyRun({}, { extra: { savedPerUse } }));
    const { energy, paidBackAfter } = card.measures;
    expect(paidBackAfter?.value).toBeCloseTo((energy?.attributed?.value ?? 0) / 0.5, 9);
    expect(card.steps.at(-1)).toMatchObject({ name: "pay-back", result: paidBackAfter });
    expect(parseCard(JSON.parse(JSON.stringify(card)))).toEqual(card);
    expect(assemble(steadyRun()).measures.paidBackAfter).toBeUndefined();
  });

  test("with a baseline of 20 W splits 300 J of active energy", () => {
    const idle = { "fake:package-0": exact("W", 20, declared) };
    const card = assemble(steadyRun({ idle, idleShare: one(0.25) }));
    expect(card.measures.energy?.net?.value).toBeCloseTo(150, 9);
    expect(card.measures.energy?.attributed?.value).toBeCloseTo(150 + 50, 9);
  });

  test("makes a card that its own schema accepts, and that nobody can change", () => {
    const card = assemble(steadyRun());
    expect(parseCard(JSON.parse(JSON.stringify(card)))).toEqual(card);
    expect(Object.isFrozen(card.measures.energy?.gross)).toBe(true);
  });
});

describe("the chain to the boundary", () => {
  const wall = { factor: one(1.25), base: exact("W", 30, declared) };

  test("the wall model is applied once: losses to all, the board's power by account", () => {
    const { energy } = assemble(steadyRun({ wall, idleShare: one(0.5) })).measures;
    expect(energy?.gross.value).toBeCloseTo(500 * 1.25 + 300, 9);
    expect(energy?.net?.value).toBeCloseTo(125 * 1.25, 9);
    expect(energy?.attributed?.value).toBeCloseTo((125 + 0.5 * 250) * 1.25 + 0.5 * 300, 9);
  });

  test("a sensor at the wall is not taken through the model, and brings its board with it", () => {
    const sensors = [
      sensorRecord({ scope: "wall", domain: "machine", device: "psu", id: "fake:psu" }),
    ];
    const card = assemble(steadyRun({ sensors, wall }));
    expect(card.measures.energy?.gross.value).toBe(500);
    expect(card.boundary.scope).toBe("wall");
  });

  test("components beside a model at the wall lose in the supply but have no second board", () => {
    const sensors = [
      sensorRecord({ scope: "wall", id: "model:server", device: "server", domain: "machine" }),
      sensorRecord({ id: "fake:gpu", device: "gpu-0", domain: "gpu" }),
    ];
    const card = assemble(steadyRun({ sensors, wall }));
    expect(card.measures.energy?.gross.value).toBeCloseTo(500 + 500 * 1.25, 9);
  });

  test("PUE is applied once, to energy and so to emissions", () => {
    const card = assemble(steadyRun({ wall, pue: one(1.5) }));
    expect(card.measures.energy?.gross.value).toBeCloseTo((500 * 1.25 + 300) * 1.5, 9);
    expect(card.boundary.scope).toBe("facility");
    const { emissions, energy } = card.measures;
    expect(emissions?.value).toBeCloseTo(((energy?.attributed?.value ?? 0) / 3.6e6) * 360, 12);
  });

  test("every step can be worked out again from what it prints", () => {
    const sensors = [
      sensorRecord({ error: 0.03 }),
      sensorRecord({ id: "fake:dram", device: "dram-0", domain: "memory", error: 0.1 }),
      sensorRecord({ id: "fake:psu", device: "psu", scope: "wall", domain: "board" }),
    ];
    const { steps } = assemble(steadyRun({ sensors, wall, pue: one(1.5), idleShare: one(0.3) }));
    const checked = steps.filter(({ inputs }) => Object.keys(inputs).length > 0);
    expect(checked.length).toBeGreaterThan(12);
    for (const { formula, inputs, result, name } of checked) {
      const values = Object.fromEntries(
        Object.entries(inputs).map(([key, input]) => [key, input.value]),
      );
      expect(evaluate(formula, values), `${name}: ${formula}`).toBeCloseTo(result.value, 9);
    }
  });

  test.each([
    [{ kind: "counter", method: "measured" }, "counter(end) - counter(start)"],
    [{ kind: "counter", method: "estimated" }, "integral of the modelled power"],
    [{ kind: "power", method: "sampled" }, "integral of power, trapezoid"],
  ] as const)("where an energy comes from is said as it was (%o)", (sensor, formula) => {
    const [read] = assemble(steadyRun({ sensors: [sensorRecord(sensor)] })).steps;
    expect(read).toMatchObject({ name: "energy of package-0", formula });
  });

  test("the interval of the result is no narrower than that of any input", () => {
    const card = assemble(
      steadyRun({
        sensors: [sensorRecord({ error: 0.05 })],
        pue: figure("1", 1.5, { low: 1.1, high: 2 }, declared),
      }),
    );
    const { emissions, energy } = card.measures;
    const relative = (of?: { low: number; value: number; high: number }) =>
      of === undefined ? [] : [of.value / of.low, of.high / of.value];
    const [down = 0, up = 0] = relative(energy?.gross);
    expect(down).toBeGreaterThanOrEqual(1.5 / 1.1);
    expect(up).toBeGreaterThanOrEqual(2 / 1.5);
    expect(relative(emissions)[0]).toBeGreaterThanOrEqual(down - 1e-9);
  });
});

describe("who owns what", () => {
  test("memory goes by what is used and what is reserved", () => {
    const sensors = [sensorRecord({ domain: "memory", device: "dram-0" })];
    const card = assemble(steadyRun({ sensors, memoryLimit: 8e9 }));
    // 4 of 16 GB are used, 8 are reserved.
    expect(card.measures.energy?.net?.value).toBeCloseTo(125, 9);
    expect(card.measures.energy?.attributed?.value).toBeCloseTo(250, 9);
  });

  test("a GPU held alone is the subject's with its idle power", () => {
    const sensors = [sensorRecord({ domain: "gpu", device: "gpu-0", id: "fake:gpu" })];
    const idle = { "fake:gpu": exact("W", 15, declared) };
    const card = assemble(steadyRun({ sensors, idle, exclusive: ["fake:gpu"] }));
    expect(card.measures.energy?.attributed?.value).toBe(500);
    expect(card.measures.energy?.attributed?.method).toBe("measured");
    expect(card.measures.energy?.net?.value).toBe(350);
  });

  test("a GPU that tells by process goes by busy time", () => {
    const sensors = [sensorRecord({ domain: "gpu", device: "gpu-0", id: "fake:gpu" })];
    const records = steadyRun({ sensors, idleShare: one(0) }).map(
      (record): SegmentRecord =>
        record.type === "tick"
          ? { ...record, gpu: { "fake:gpu": { busyS: 0.8 * record.t, subjectS: 0.2 * record.t } } }
          : record,
    );
    // Busy 80 %: 400 J active, a quarter of it the subject's.
    expect(assemble(records).measures.energy?.attributed?.value).toBeCloseTo(100, 9);
  });

  test("a GPU whose user is not known may be anything from nothing to all", () => {
    const sensors = [sensorRecord({ domain: "gpu", device: "gpu-0" })];
    const { energy } = assemble(steadyRun({ sensors })).measures;
    expect(energy?.attributed).toMatchObject({ value: 500, low: 0, high: 500 });
  });

  test("without the subject's CPU time there is the machine's energy and a word about it", () => {
    const records = [
      startRecord(),
      ...ticksAt(everySecond(10), { joules: [(t) => 50 * t] }),
      endRecord(10),
    ];
    const card = assemble(records);
    expect(card.boundary.headline).toBe("gross");
    expect(card.measures.energy?.attributed).toBeUndefined();
    expect(card.conservation).toBeUndefined();
    expect(card.notices.join()).toContain("own share is not known");
  });

  test("shares follow the intervals, not the totals", () => {
    // Alone at 100 W for five seconds, then absent while others use 20 W.
    const records = [
      startRecord({ idle: { "fake:package-0": exact("W", 0, declared) } }),
      ...ticksAt(everySecond(10), {
        joules: [(t) => (t <= 5 ? 100 * t : 500 + 20 * (t - 5))],
        busyS: (t) => 4 * t,
        subjectS: (t) => 4 * Math.min(t, 5),
      }),
      endRecord(10),
    ];
    expect(assemble(records).measures.energy?.net?.value).toBeCloseTo(500, 9);
  });

  test("CPU time of children that came and went between samples is found again at the end", () => {
    const records = [
      startRecord({ idle: { "fake:package-0": exact("W", 0, declared) } }),
      ...ticksAt(everySecond(10), {
        joules: [(t) => 50 * t],
        busyS: (t) => 4 * t,
        subjectS: () => 0,
      }),
      endRecord(10, { subjectS: 30 }),
    ];
    const card = assemble(records);
    expect(card.measures.energy?.net?.value).toBeCloseTo((500 * 30) / 40, 9);
    expect(card.measures.cpuTime).toMatchObject({ value: 30, method: "measured" });
  });

  test("a rank that is not its node's first claims its share and nothing of the machine", () => {
    const card = assemble(steadyRun({ claim: "own-share", idleShare: one(0) }));
    expect(card.measures.energy?.gross.value).toBeCloseTo(125, 9);
    expect(card.measures.energy?.attributed?.value).toBeCloseTo(125, 9);
    expect(card.boundary.headline).toBe("net");
  });
});

test("CPU time that is told in steps has an interval of a step to either side", () => {
  const cpuTime = { source: "a table", fallbacks: [], step: 0.01 };
  const run = (subjectS: number) =>
    assemble([startRecord({ cpuTime }), endRecord(10, { subjectS })]).measures.cpuTime;
  expect(run(3)).toMatchObject({ value: 3, low: 2.99, high: 3.01, method: "measured" });
  expect(run(0)).toMatchObject({ value: 0, low: 0, high: 0.01 });
});

describe("what was not measured", () => {
  test("no sensor: no energy, no power, no emissions, and a notice; never a zero", () => {
    const card = assemble(steadyRun({ sensors: [] }));
    expect(card.measures).toEqual({
      duration: card.measures.duration,
      cpuTime: card.measures.cpuTime,
    });
    expect(card.notices.join()).toContain("no energy was measured");
  });

  test("a run shorter than the counter's period is below its resolution", () => {
    const records = [
      startRecord({ sensors: [sensorRecord({ updatePeriod: 0.1 })] }),
      ...ticksAt([0, 0.05], { joules: [() => 0], busyS: (t) => t, subjectS: (t) => t }),
      endRecord(0.05),
    ];
    const card = assemble(records);
    expect(card.measures.energy).toBeUndefined();
    expect(card.notices.join()).toContain("below resolution");
  });

  test("a sensor that never answered is named", () => {
    const sensors = [sensorRecord(), sensorRecord({ id: "fake:dram", device: "dram-0" })];
    const records = [
      startRecord({ sensors }),
      ...ticksAt(everySecond(3), { joules: [(t) => 50 * t, () => null], busyS: (t) => t }),
      endRecord(3),
    ];
    const card = assemble(records);
    expect(card.components.map(({ device }) => device)).toEqual(["package-0"]);
    expect(card.notices.join()).toContain("no energy of dram-0");
  });

  test("a gap of unknown energy is bridged, listed, and widens the interval", () => {
    const records: SegmentRecord[] = [
      startRecord(),
      ...ticksAt(everySecond(10), {
        joules: [(t) => (t === 5 ? null : t < 5 ? 50 * t : 50 * (t - 2))],
        busyS: (t) => 4 * t,
        subjectS: (t) => 4 * t,
      }),
      {
        type: "gap",
        sensor: "fake:package-0",
        from: 4,
        to: 6,
        reason: "reset",
        detail: "it started again",
        joules: null,
      },
      endRecord(10),
    ];
    const card = assemble(records);
    expect(card.measures.energy?.gross.value).toBeCloseTo(500, 9);
    expect(card.measures.energy?.gross.low).toBeLessThan(460);
    expect(card.gaps).toMatchObject([{ fromS: 4, toS: 6, reason: "reset: it started again" }]);
    expect(card.series[0]?.watts).toContain(null);
  });

  test("a counter that could not be read for a while lost nothing", () => {
    const records: SegmentRecord[] = [
      startRecord(),
      ...ticksAt(everySecond(10), { joules: [(t) => (t === 5 ? null : 50 * t)] }),
      {
        type: "gap",
        sensor: "fake:package-0",
        from: 4,
        to: 6,
        reason: "unreadable",
        detail: "EIO",
        joules: 100,
      },
      endRecord(10),
    ];
    const { energy } = assemble(records).measures;
    expect(energy?.gross).toMatchObject({ value: 500, low: 500, high: 500, method: "measured" });
  });
});

describe("a run that was cut off", () => {
  test("ends at its last tick, whatever line was the last", () => {
    const whole = steadyRun();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: whole.length - 1 }), (lines) => {
        const card = assemble(whole.slice(0, lines));
        expect(card.status).toBe("interrupted");
        expect(card.measures.duration.value).toBe(Math.max(0, lines - 2));
        expect(parseCard(JSON.parse(JSON.stringify(card)))).toEqual(card);
        if (lines > 2) expect(card.measures.energy?.gross.value).toBeCloseTo(50 * (lines - 2), 9);
        else expect(card.measures.energy).toBeUndefined();
      }),
    );
  });

  test("without a first line is refused", () => {
    expect(() => assemble([endRecord(1)])).toThrow(/no first line/);
  });
});

test("spans get their part of the headline energy, and parts of a run add up to it", () => {
  const span = (index: number, start: number, end: number, parent: number | null = null) =>
    ({ type: "span", index, name: `s${index}`, start, end, parent }) as const;
  const wall = { factor: one(1.25), base: exact("W", 30, declared) };
  const spans = [span(1, 2.5, 10), span(0, 0, 2.5), span(2, 3, 4, 1)];
  const card = assemble([...steadyRun({ wall }), ...spans]);
  const [first, second, inner] = card.spans.map(({ energy }) => energy?.value ?? Number.NaN);
  expect((first ?? 0) + (second ?? 0)).toBeCloseTo(card.measures.energy?.attributed?.value ?? 0, 9);
  expect(inner).toBeCloseTo((card.measures.power?.mean.value ?? 0) * 1, 9);
  expect(card.spans.map(({ name, parent }) => [name, parent])).toEqual([
    ["s0", undefined],
    ["s1", undefined],
    ["s2", 1],
  ]);
});

test("attributed and unattributed energy add up to the measured one within 0.1 % for any run", () => {
  const step = fc.record({
    seconds: fc.double({ min: 0.01, max: 20, noNaN: true }),
    watts: fc.integer({ min: 0, max: 5000 }).map((tenths) => tenths / 10),
    busy: fc.double({ min: 0, max: 1, noNaN: true }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    seen: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 40 }), (steps) => {
      let [t, joules, busyS, subjectS] = [0, 0, 0, 0];
      const ticks = [{ t, joules, busyS, subjectS, seen: true }];
      for (const { seconds, watts, busy, share, seen } of steps) {
        t += seconds;
        joules += watts * seconds;
        busyS += 8 * busy * seconds;
        subjectS += 8 * busy * share * seconds;
        ticks.push({ t, joules, busyS, subjectS, seen });
      }
      const at = (time: number) => ticks.find((tick) => tick.t === time) ?? ticks[0];
      const sensors = [
        sensorRecord({ error: 0.03 }),
        sensorRecord({ id: "fake:dram", device: "dram-0", domain: "memory" }),
      ];
      const read = (time: number) => (at(time)?.seen === true ? (at(time)?.joules ?? null) : null);
      const card = assemble([
        startRecord({ sensors, machine: MACHINE, idleShare: one(0.5) }),
        ...ticksAt(
          ticks.map((tick) => tick.t),
          {
            joules: [read, read],
            busyS: (time) => at(time)?.busyS ?? null,
            subjectS: (time) => at(time)?.subjectS ?? null,
            rss: () => 1e9,
          },
        ),
      ]);
      expect(card.conservation?.relativeError ?? 0).toBeLessThan(1e-3);
      const { energy } = card.measures;
      if (energy?.net === undefined || energy.attributed === undefined) return;
      const slack = 1e-9 * energy.gross.value;
      expect(energy.net.value).toBeLessThanOrEqual(energy.attributed.value + slack);
      expect(energy.attributed.value).toBeLessThanOrEqual(energy.gross.value + slack);
      expect(energy.attributed.low).toBeLessThanOrEqual(energy.attributed.value);
    }),
    { numRuns: 200 },
  );
});

test("a sensor's own error reaches the total", () => {
  const card = assemble(steadyRun({ sensors: [sensorRecord({ error: 0.1 })] }));
  const expected = withError("J", 500, 0.1, declared);
  expect(card.measures.energy?.gross.low).toBeCloseTo(expected.low, 6);
  expect(card.measures.energy?.gross.high).toBeCloseTo(expected.high, 6);
});
