import { expect, test } from "vitest";
import type { Candidate } from "./candidate.ts";
import { finalistsOf } from "./finalists.ts";

/** A candidate that takes a share of the original's time; `differ` of 500 answers changed, as many for the better. */
const candidate = (name: string, share: number, drop: number, differ: number): Candidate => ({
  ...{ name, steps: [{ pass: "simplify", options: {} }], bytes: 1e6 * share, quality: 0.9 - drop },
  ...{ drop, changed: differ / 500, spread: differ / 500, rows: 500, refusals: 0 },
  ...{ cpu: share, latency: share, ratio: { value: share, low: 0.9 * share, high: 1.05 * share } },
});
const order = (...candidates: readonly Candidate[]): readonly string[] =>
  finalistsOf(candidates, { objective: "energy", maxDrop: 0.01, alpha: 0.03, verified: 1600 }).map(
    ({ name }) => name,
  );

const lossless = candidate("lossless", 0.75, 0, 0);
const even = candidate("no drop, some answers others", 0.5, 0, 20);

test("what saves more is verified first where it may well be shown", () => {
  expect(order(lossless, even)).toEqual(["no drop, some answers others", "lossless"]);
});

test("of those within the noise of the cheapest the likeliest is verified first", () => {
  const cheapest = candidate("cheapest", 0.4, 0, 16);
  const likelier = candidate("as cheap for all that is known", 0.41, 0, 8);
  const dearer = candidate("dearer beyond noise", 0.45, 0, 4);
  expect(order(cheapest, likelier, dearer)).toEqual([likelier.name, "cheapest", dearer.name]);
});

test("a gain on the rows of the search is taken for luck", () => {
  const lucky = candidate("lucky", 0.4, -0.02, 20);
  expect(order(lucky, candidate("steady", 0.41, 0, 8))).toEqual(["steady", "lucky"]);
});

test("what can hardly be shown comes last, however cheap", () => {
  // At 0.9 points of 1 with 40 answers changed, the claim would need a lucky draw.
  const hopeless = candidate("nearly too bad", 0.3, 0.009, 40);
  expect(order(hopeless, lossless, even).at(-1)).toBe("nearly too bad");
});

test("what loses too much or saves nothing beyond noise is not verified", () => {
  expect(order(candidate("bad", 0.3, 0.02, 40), candidate("no cheaper", 0.99, 0, 0))).toEqual([]);
});
