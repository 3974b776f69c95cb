import { describe, expect, test } from "vitest";
import { figure } from "../core/index.ts";
import { payBackText } from "../report/slim/words.ts";
import { energyOf, type ModelCard } from "./slim-cards.ts";

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

describe("what a search used", () => {
  test("is paid back by what each sample saves", () => {
    const energy = energyOf({ before: card(0.5), after: card(0.1) }, joules(1000));
    expect(energy.paidBackAfter).toBeCloseTo(1000 / (0.5 - 0.1), 9);
    expect(payBackText({ energy })).toContain("paid back after 2,500 samples");
  });

  test("is never paid back where nothing is saved, or where it is not known", () => {
    const after = card(0.5);
    expect(energyOf({ before: card(0.5), after }, joules(1)).paidBackAfter).toBeNull();
    expect(energyOf({ before: card(0.4), after }, joules(1)).paidBackAfter).toBeNull();
    expect(energyOf({ before: card(null), after }, joules(1)).paidBackAfter).toBeNull();
    const unknown = energyOf({ before: card(1), after }, null);
    expect(unknown.paidBackAfter).toBeNull();
    expect(payBackText({ energy: unknown })).toBe("the energy of this search is not known");
  });
});
