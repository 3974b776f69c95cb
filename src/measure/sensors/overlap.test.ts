import { describe, expect, test } from "vitest";
import { doubtPlatform, findMirrored, livelier, plausibleCounter } from "./overlap.ts";
import type { Reading, Sensor } from "./sensor.ts";

const counter = (id: string, changes: Partial<Sensor> = {}): Sensor => ({
  id,
  provider: "rapl-powercap",
  domain: "cpu",
  device: id,
  scope: "component",
  kind: "counter",
  method: "measured",
  source: id,
  error: 0.03,
  updatePeriod: 0.001,
  read: () => Promise.reject(new Error("not read here")),
  ...changes,
});

/** Readings every 20 ms, the whole series `late` microseconds after the full moment. */
const series = (values: readonly number[], late = 0): readonly Reading[] =>
  values.map((value, index) => ({ at: BigInt(index * 20_000_000 + late * 1000), value }));

describe("mirrored counters", () => {
  const [one, two] = [counter("package-0-die-0"), counter("package-0-die-1")];
  const rising = [31_407, 31_408.36, 31_409.72, 31_411.08];

  test("are found, and the first is kept", () => {
    const history = new Map([
      [one.id, series(rising)],
      // Read 50 us later at 68 W: 3.4 mJ further on.
      [
        two.id,
        series(
          rising.map((value) => value + 0.0034),
          50,
        ),
      ],
    ]);
    expect(findMirrored([one, two], history)).toEqual(new Map([[two.id, one.id]]));
  });

  test("may differ by a millionth, as counters in different units do", () => {
    const long = [200_000, 200_001.36, 200_002.72, 200_004.08];
    const apart = (offset: number) =>
      new Map([
        [one.id, series(long)],
        [two.id, series(long.map((value) => value + offset))],
      ]);
    expect(findMirrored([one, two], apart(0.15)).size).toBe(1);
    expect(findMirrored([one, two], apart(0.5)).size).toBe(0);
  });

  test("are not two sockets that work alike", () => {
    const history = new Map([
      [one.id, series(rising)],
      [two.id, series(rising.map((value) => value + 700))],
    ]);
    expect(findMirrored([one, two], history).size).toBe(0);
  });

  test("are not two counters that were set to zero together", () => {
    const young = [0, 1.36, 2.72, 4.08];
    const history = new Map([
      [one.id, series(young)],
      [two.id, series(young)],
    ]);
    expect(findMirrored([one, two], history).size).toBe(0);
  });

  test("are not called so on fewer than three deltas, or when they part", () => {
    const short = new Map([
      [one.id, series(rising.slice(0, 3))],
      [two.id, series(rising.slice(0, 3))],
    ]);
    expect(findMirrored([one, two], short).size).toBe(0);
    const parting = new Map([
      [one.id, series(rising)],
      [two.id, series([31_407, 31_408.36, 31_409.72, 31_412])],
    ]);
    expect(findMirrored([one, two], parting).size).toBe(0);
  });

  test("that both stand still prove nothing", () => {
    const still = [500, 500, 500, 500];
    const history = new Map([
      [one.id, series(still)],
      [two.id, series(still)],
    ]);
    expect(findMirrored([one, two], history).size).toBe(0);
  });

  test("are of one domain: memory that equals the processor is chance", () => {
    const memory = counter("dram", { domain: "memory" });
    const history = new Map([
      [one.id, series(rising)],
      [memory.id, series(rising)],
    ]);
    expect(findMirrored([one, memory], history).size).toBe(0);
  });
});

test("of two sensors of one thing the one that moves is kept", () => {
  const [msr, mmio] = [counter("msr"), counter("mmio")];
  const still = series([9, 9, 9, 9]);
  const moving = series([9, 10, 11, 12]);
  expect(livelier(msr, mmio, new Map()).id).toBe("msr");
  expect(
    livelier(
      msr,
      mmio,
      new Map([
        ["msr", moving],
        ["mmio", moving],
      ]),
    ).id,
  ).toBe("msr");
  expect(
    livelier(
      msr,
      mmio,
      new Map([
        ["msr", still],
        ["mmio", moving],
      ]),
    ).id,
  ).toBe("mmio");
  expect(
    livelier(
      msr,
      mmio,
      new Map([
        ["msr", still],
        ["mmio", still],
      ]),
    ).id,
  ).toBe("msr");
});

describe("a counter against a power sensor", () => {
  const power = series([100, 100, 100, 100]);

  test("is plausible when they agree roughly", () => {
    expect(plausibleCounter(series([0, 2, 4, 6]), power)).toEqual({ plausible: true, ratio: 1 });
    expect(plausibleCounter(series([0, 3, 6, 9]), power)?.plausible).toBe(true);
  });

  test("is not when it is wrong by its unit, stands still or falls", () => {
    expect(plausibleCounter(series([0, 30.6, 61.2, 91.8]), power)?.plausible).toBe(false);
    expect(plausibleCounter(series([5, 5, 5, 5]), power)?.plausible).toBe(false);
    expect(plausibleCounter(series([9, 8, 7, 6]), power)?.plausible).toBe(false);
  });

  test("cannot be judged before it has had time to move", () => {
    // Four readings, 20 ms apart, of a counter that is renewed every 2.2 s.
    expect(plausibleCounter(series([5, 5, 5, 5]), power, { updatePeriod: 2.2 })).toBeNull();
  });

  test("cannot be judged without time or power", () => {
    expect(plausibleCounter(series([5]), power)).toBeNull();
    expect(plausibleCounter(series([0, 2]), [])).toBeNull();
  });
});

describe("a platform counter", () => {
  const [psys, pack] = [counter("psys", { domain: "machine" }), counter("package-0")];

  test("is doubted when it reads less than its packages", () => {
    const history = new Map([
      ["psys", series([0, 0.02, 0.04, 0.06])],
      ["package-0", series([0, 0.3, 0.6, 0.9])],
    ]);
    expect(doubtPlatform(psys, [pack], history)).toBe("it reads 1.0 W and its packages 15.0 W");
  });

  test("is believed when it reads more, and when nobody looked", () => {
    const history = new Map([
      ["psys", series([0, 0.5, 1, 1.5])],
      ["package-0", series([0, 0.3, 0.6, 0.9])],
    ]);
    expect(doubtPlatform(psys, [pack], history)).toBeNull();
    expect(doubtPlatform(psys, [pack], new Map())).toBeNull();
  });
});
