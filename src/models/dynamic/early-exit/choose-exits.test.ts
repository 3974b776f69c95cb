import { describe, expect, test } from "vitest";
import { randomNet } from "../../../../test/nets/random-net.ts";
import { createRandom } from "../../../core/index.ts";
import { candidateCuts } from "./candidate-cuts.ts";
import { chooseExits } from "./choose-exits.ts";
import type { HeadAnswers } from "./thresholds.ts";

const SAMPLES = 500;
const random = createRandom(8);

/** A head that knows when it is right: of the samples of its confidence so many are. */
const head = (skill: number): HeadAnswers => {
  const confidence = Float64Array.from({ length: SAMPLES }, () => random.uniform() ** (1 - skill));
  return {
    confidence,
    right: Uint8Array.from(confidence, (sure) => (random.uniform() < sure ? 1 : 0)),
  };
};
const right = Uint8Array.from({ length: SAMPLES }, (_, sample) => (sample % 25 === 0 ? 0 : 1));
const answers = [head(0.3), head(0.6), head(0.9)];
const kept = (share: number) => ({
  most: 2,
  isAccepted: ({ accuracy }: { readonly accuracy: number }) => accuracy >= share,
});

describe("choosing exits", () => {
  const heads = [
    { leave: 2, stay: 0.2 },
    { leave: 4, stay: 0.2 },
    { leave: 7, stay: 0.2 },
  ];

  test("takes what makes the average sample cheaper, and no more than is allowed", () => {
    const costs = { base: 10, heads };
    const chosen = chooseExits({ answers, right }, costs, kept(0.93));
    expect(chosen?.plan.cost).toBeLessThan(10);
    expect(chosen?.plan.accuracy).toBeGreaterThanOrEqual(0.93);
    const one = chooseExits({ answers, right }, costs, { ...kept(0.93), most: 1 });
    expect(one?.places).toHaveLength(1);
    expect(chosen?.plan.cost).toBeLessThanOrEqual(one?.plan.cost ?? 0);
    expect(chosen?.places.toSorted((a, b) => a - b)).toEqual(chosen?.places);
  });

  test("pays for the heads that a sample stays at", () => {
    const costs = { base: 10, heads };
    const chosen = chooseExits({ answers, right }, costs, kept(0.93));
    const { places = [], plan } = chosen ?? {};
    let passed = 0;
    let expected = 0;
    for (const [exit, place] of places.entries()) {
      expected += (plan?.shares[exit] ?? 0) * (passed + (heads[place]?.leave ?? 0));
      passed += heads[place]?.stay ?? 0;
    }
    expected += (plan?.shares.at(-1) ?? 0) * (10 + passed);
    expect(plan?.cost).toBeCloseTo(expected, 9);
  });

  test("finds none where leaving costs as much as the whole, or nothing may be lost", () => {
    const dear = { base: 10, heads: heads.map(() => ({ leave: 10.5, stay: 1 })) };
    expect(chooseExits({ answers, right }, dear, kept(0))).toBeNull();
    const blind = [{ ...head(0.5), right: new Uint8Array(SAMPLES) }];
    const costs = { base: 10, heads };
    expect(chooseExits({ answers: blind, right }, costs, kept(0.96))).toBeNull();
  });
});

describe("cuts that are worth a head", () => {
  const net = randomNet({ blocks: ["conv", "residual", "conv", "conv"], head: "flatten", seed: 1 });
  const shape = net.graph?.inputs[0]?.type;
  const dims = (shape?.kind === "tensor" ? (shape.shape ?? []) : []).map(({ value }) =>
    Number(value ?? 1n),
  );
  const inputs = { [net.graph?.inputs[0]?.name ?? ""]: dims };

  test("are the last ones between two pieces of work, before most of it is done", () => {
    const cuts = candidateCuts(net, inputs);
    const shares = cuts.map(({ share }) => share);
    expect(cuts.length).toBeGreaterThan(1);
    expect(new Set(shares).size).toBe(shares.length);
    expect(shares.toSorted((a, b) => a - b)).toEqual(shares);
    expect(shares.every((share) => share > 0 && share <= 0.8)).toBe(true);
    // Behind a convolution stand its normalisation and activation, which cost next to nothing.
    expect(cuts.map(({ value }) => value).filter((value) => value.startsWith("conv"))).toEqual([]);
  });

  test("are those that are named, in the order of the graph", () => {
    const named = candidateCuts(net, inputs, ["relu2", "relu1"]);
    expect(named.map(({ value }) => value)).toEqual(["relu1", "relu2"]);
    expect(() => candidateCuts(net, inputs, ["relu3"])).toThrow(/cannot be left at "relu3"/);
  });
});
