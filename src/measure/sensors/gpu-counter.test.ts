import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { distrustCounter, guardCounter } from "./gpu-counter.ts";

/** Outcome of reading each value in turn. */
async function outcomes(values: readonly number[]): Promise<(number | "gap")[]> {
  const left = [...values];
  const read = guardCounter(async () => ({ at: 0n, value: left.shift() ?? Number.NaN }));
  const results: (number | "gap")[] = [];
  for (const _ of values) {
    results.push(
      await read().then(
        ({ value }) => value,
        () => "gap" as const,
      ),
    );
  }
  return results;
}

describe("a counter that falls", () => {
  test("passes rising and equal readings", async () => {
    expect(await outcomes([1, 2, 2, 3])).toEqual([1, 2, 2, 3]);
  });

  test("loses one low reading alone", async () => {
    expect(await outcomes([100, 101, 0, 102])).toEqual([100, 101, "gap", 102]);
  });

  test("passes a reset on once a second reading confirms it", async () => {
    expect(await outcomes([100, 101, 1, 2, 3])).toEqual([100, 101, "gap", 2, 3]);
  });

  test("a reset counter that has not moved yet is a reset all the same", async () => {
    expect(await outcomes([100, 1, 1, 2])).toEqual([100, "gap", 1, 2]);
  });

  test("one that runs backwards is never passed on", async () => {
    expect(await outcomes([100, 99, 98, 97, 96])).toEqual([100, "gap", "gap", "gap", "gap"]);
  });

  test("an answer that is not a number is a gap", async () => {
    expect(await outcomes([1, Number.NaN, 2])).toEqual([1, "gap", 2]);
  });
});

describe("a counter beside a power sensor", () => {
  /** Doubt about a counter that grows at `counted` watts beside a sensor that says `power`. */
  const doubt = (counted: number, power: number) => {
    const host = createFakeHost();
    return distrustCounter(host, {
      energy: async () => 1000 + (counted * Number(host.monotonic())) / 1e9,
      power: async () => power,
      milliseconds: 500,
    });
  };

  test("is trusted when both agree", async () => {
    expect(await doubt(210, 200)).toBeNull();
  });

  test("is not trusted when it stands still, runs backwards or has another unit", async () => {
    expect(await doubt(0, 200)).toContain("0.0 W");
    expect(await doubt(0, 0)).not.toBeNull();
    expect(await doubt(-5, 200)).not.toBeNull();
    expect(await doubt(200_000, 200)).not.toBeNull();
    expect(await doubt(0.2, 200)).not.toBeNull();
  });
});
