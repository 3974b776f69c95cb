import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { measuringRig as rig } from "../../../test/measuring-rig.ts";
import { createMeasurer } from "./measure.ts";

describe("measure", () => {
  test("gives the result, what it used, and the card of the outermost call", async () => {
    const { measure, pass } = rig();
    const outcome = await measure("train", async () => {
      await pass(4);
      return 42;
    });
    expect(outcome.result).toBe(42);
    expect(outcome.duration.value).toBeCloseTo(4, 9);
    expect(outcome.energy?.value).toBeCloseTo(200, 0);
    expect(outcome.emissions?.value).toBeCloseTo((200 / 3.6e6) * 360, 4);
    expect(outcome.card?.subject).toMatchObject({ kind: "span", name: "train" });
    expect(Object.isFrozen(outcome)).toBe(true);
  });

  test("makes calls inside it its spans, through awaits and callbacks", async () => {
    const { measure, pass } = rig();
    const { card } = await measure("outer", async () => {
      await measure("first", async () => {
        await pass(1);
        await Promise.resolve().then(() => measure("deep", () => pass(2)));
      });
      await measure("second", () => pass(3));
    });
    const spans = card?.spans.map(({ name, parent, energy }) => [
      name,
      parent === undefined ? null : card.spans[parent]?.name,
      Math.round(energy?.value ?? -1),
    ]);
    expect(spans).toEqual([
      ["first", null, 150],
      ["deep", "first", 100],
      ["second", null, 150],
    ]);
  });

  test("keeps parallel calls apart", async () => {
    const { measure, pass } = rig();
    const { card } = await measure("outer", async () => {
      const branch = (name: string) =>
        measure(name, async () => {
          await Promise.resolve();
          await measure(`${name} inner`, async () => {});
        });
      await Promise.all([branch("a"), branch("b"), pass(1)]);
    });
    const parents = new Map(
      card?.spans.map(({ name, parent }) => [
        name,
        parent === undefined ? null : card.spans[parent]?.name,
      ]),
    );
    expect(Object.fromEntries(parents)).toEqual({
      a: null,
      b: null,
      "a inner": "a",
      "b inner": "b",
    });
  });

  test("lets errors through with the span closed, sync and async", async () => {
    const { measure, pass } = rig();
    const { card } = await measure("outer", async () => {
      const broken = measure("broken", () => {
        throw new TypeError("sync");
      });
      await expect(broken).rejects.toThrow(TypeError);
      const later = measure("later", async () => {
        await pass(1);
        throw new RangeError("async");
      });
      await expect(later).rejects.toThrow(RangeError);
    });
    expect(card?.spans.map(({ name, startS, endS }) => [name, endS - startS])).toEqual([
      ["broken", 0],
      ["later", 1],
    ]);
    await expect(measure("root", () => Promise.reject(new Error("whole")))).rejects.toThrow(
      "whole",
    );
  });

  test("runs the work even when nothing can be set up", async () => {
    const { measure } = createMeasurer(() => {
      throw new Error("no host");
    });
    const outcome = await measure("work", () => "done");
    expect(outcome.result).toBe("done");
    expect(outcome.energy).toBeUndefined();
    expect(outcome.notices.join()).toContain("not measured: no host");
  });

  test("two runs one after the other have cards of their own", async () => {
    const { measure, pass } = rig();
    const [one, two] = [await measure("one", () => pass(1)), await measure("two", () => pass(2))];
    expect(one.card?.id).not.toBe(two.card?.id);
    expect(two.energy?.value).toBeCloseTo(100, 0);
    expect(two.card?.spans).toEqual([]);
  });
});

test("measured keeps a function's signature and measures every call", async () => {
  const { measured, pass } = rig();
  const energies: number[] = [];
  const step = measured(
    "step",
    async (seconds: number, label: string) => {
      await pass(seconds);
      return label;
    },
    ({ energy }) => energies.push(Math.round(energy?.value ?? -1)),
  );
  const label: string = await step(2, "x");
  expect(label).toBe("x");
  await step(1, "y");
  expect(energies).toEqual([100, 50]);
});

describe("openSpan", () => {
  test("outside of every call makes a run of its own", async () => {
    const { openSpan, pass } = rig();
    const span = await openSpan("alone");
    await pass(2);
    const used = await span.close();
    expect(used.energy?.value).toBeCloseTo(100, 0);
    expect(used.card?.subject.name).toBe("alone");
  });
});

test("the library never prints", () => {
  const folder = new URL(".", import.meta.url);
  for (const name of readdirSync(folder)) {
    if (name.endsWith(".test.ts")) continue;
    const text = readFileSync(new URL(name, folder), "utf8");
    expect(text, name).not.toMatch(/\bconsole\.|process\.std(out|err)\.write/);
  }
});
