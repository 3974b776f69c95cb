import { describe, expect, test } from "vitest";
import { figure } from "../core/index.ts";
import { type ModelCard, savedPerSample } from "./slim-cards.ts";

/** A figure that may be half as much, or twice. */
const joules = (value: number) =>
  figure(
    "J",
    value,
    { low: value / 2, high: 2 * value },
    { method: "estimated", source: "a test" },
  );
const card = (value: number | null): ModelCard => ({
  ...{ id: "card", notices: [] },
  perSample: value === null ? null : joules(value),
});

describe("what a sample saves", () => {
  test("is the difference of like ends, since one model of power told both", () => {
    const saved = savedPerSample({ before: card(0.5), after: card(0.1) });
    expect(saved?.value).toBeCloseTo(0.4, 12);
    expect(saved?.low).toBeCloseTo(0.2, 12);
    expect(saved?.high).toBeCloseTo(0.8, 12);
    expect(saved?.method).toBe("estimated");
  });

  test("is not told where it is nothing, or where it is not known", () => {
    const after = card(0.5);
    expect(savedPerSample({ before: card(0.5), after })).toBeNull();
    expect(savedPerSample({ before: card(0.4), after })).toBeNull();
    expect(savedPerSample({ before: card(null), after })).toBeNull();
    expect(savedPerSample({ before: null, after: null })).toBeNull();
  });
});
