// Spans as `await using` writes them. Apart from the source tree, because the parser of the boundary
// check does not know the syntax.

import { describe, expect, test } from "vitest";
import { measuringRig as rig } from "./measuring-rig.ts";

describe("await using openSpan", () => {
  test("is the parent of what follows in its block, and closes with it", async () => {
    const { measure, openSpan, pass } = rig();
    const { card } = await measure("outer", async () => {
      {
        await using _span = await openSpan("block");
        await measure("inside", () => pass(1));
      }
      await measure("after", () => pass(1));
    });
    const named = card?.spans.map(({ name, parent }) => [name, parent]);
    expect(named).toEqual([
      ["block", undefined],
      ["inside", 0],
      ["after", undefined],
    ]);
  });

  test("in parallel branches each has its own children", async () => {
    const { measure, openSpan, pass } = rig();
    const { card } = await measure("outer", async () => {
      const branch = async (name: string): Promise<void> => {
        await using _span = await openSpan(name);
        await measure(`${name} inner`, () => pass(1));
      };
      await Promise.all([branch("a"), branch("b")]);
    });
    const parents = card?.spans.map(({ name, parent }) => [
      name,
      parent === undefined ? null : card.spans[parent]?.name,
    ]);
    expect(Object.fromEntries(parents ?? [])).toEqual({
      a: null,
      b: null,
      "a inner": "a",
      "b inner": "b",
    });
  });
});
