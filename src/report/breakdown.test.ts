import { describe, expect, test } from "vitest";
import { poorCard, richCard } from "../../test/sample-card.ts";
import type { Card } from "../core/card.ts";
import { exact, scaled } from "../core/index.ts";
import { energyParts } from "./breakdown.ts";

/** The rich card with its gross energy times a factor. */
function withGross(factor: number, changes: Partial<Card> = {}): Card {
  const { measures } = richCard();
  const { energy } = measures;
  if (energy === undefined) throw new Error("the sample has energy");
  return richCard({
    measures: { ...measures, energy: { ...energy, gross: scaled(energy.gross, factor) } },
    ...changes,
  });
}

describe("the parts of an energy", () => {
  test("are its components where they add up to it", () => {
    const parts = energyParts(richCard(), "gross");
    expect(parts?.map(({ label }) => label)).toEqual(["gpu RTX 4090", "cpu package-0", "memory"]);
  });

  test("name the facility where its PUE explains what is more", () => {
    const { boundary } = richCard();
    const pue = exact("1", 1.5, { method: "declared", source: "the operator" });
    const parts = energyParts(withGross(1.5, { boundary: { ...boundary, pue } }), "gross");
    expect(parts?.at(-1)).toMatchObject({ label: "facility", source: "PUE 1.50, the operator" });
    expect(parts?.at(-1)?.value).toBeCloseTo(6200, 6);
  });

  test("name nothing that they do not know", () => {
    expect(energyParts(withGross(1.2), "gross")?.at(-1)).toMatchObject({ label: "the rest" });
  });

  test("always add up, or are not told", () => {
    for (const factor of [0.5, 0.997, 1, 1.003, 1.1, 2]) {
      const card = withGross(factor);
      const parts = energyParts(card, "gross");
      const sum = parts?.reduce((result, { value }) => result + value, 0);
      const total = card.measures.energy?.gross.value ?? Number.NaN;
      if (sum === undefined) expect(factor).toBe(0.5);
      else expect(Math.abs(sum / total - 1)).toBeLessThanOrEqual(0.005);
    }
  });

  test("are not told where a component lacks its share, or nothing is known", () => {
    const [first, ...others] = richCard().components;
    const { attributed: _, ...without } = first ?? {};
    const components = [without, ...others] as Card["components"];
    expect(energyParts(richCard({ components }), "attributed")).toBeNull();
    expect(energyParts(poorCard(), "gross")).toBeNull();
  });
});
