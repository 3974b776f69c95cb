import { describe, expect, it } from "vitest";
import { layerModel, weightsOf } from "../../../test/layer-model.ts";
import { createRandom, mean } from "../../core/index.ts";
import { conv, dense, depthwiseConv, initialiserNamed, initialisers } from "./index.ts";

const FAN = { in: 50, out: 200 };
const COUNT = 40_000;

const draw = (name: string): readonly number[] => {
  const random = createRandom(7);
  const sample = initialiserNamed(name).sampler(FAN);
  return Array.from({ length: COUNT }, () => sample(random));
};

/** E[(x / deviation)^n] for a distribution around 0. */
const moment = (values: readonly number[], n: number, deviation = 1): number =>
  mean(values.map((value) => (value / deviation) ** n));

// Kurtosis is 3 for a normal distribution and 9/5 for a uniform one. The truncated normal's variance is
// 1 - 4 phi(2) / (2 Phi(2) - 1) of its parent's.
const TRUNCATED = 1 - (4 * 0.053990966513188) / 0.954499736103642;
it.each([
  ["he-normal", 2 / 50, 3],
  ["he-uniform", 2 / 50, 1.8],
  ["glorot-normal", 2 / 250, 3],
  ["glorot-uniform", 2 / 250, 1.8],
  ["lecun-normal", 1 / 50, 3],
  ["lecun-uniform", 1 / 50, 1.8],
  ["torch-uniform", 1 / 150, 1.8],
  ["normal", 0.02 ** 2, 3],
  ["truncated-normal", 0.02 ** 2 * TRUNCATED, 2.37],
])("%s has variance %d and the kurtosis of its kind", (name, variance, kurtosis) => {
  const values = draw(name);
  const deviation = Math.sqrt(variance);
  // Five standard errors.
  expect(Math.abs(moment(values, 1, deviation))).toBeLessThan(5 / Math.sqrt(COUNT));
  expect(Math.abs(moment(values, 2, deviation) - 1)).toBeLessThan(5 * Math.sqrt(2 / COUNT));
  expect(Math.abs(moment(values, 3, deviation))).toBeLessThan(0.15);
  expect(Math.abs(moment(values, 4, deviation) - kurtosis)).toBeLessThan(0.12);
});

it("keeps within the bounds of its kind", () => {
  const most = (name: string): number => Math.max(...draw(name).map(Math.abs));
  expect(most("truncated-normal")).toBeLessThanOrEqual(0.04);
  expect(most("truncated-normal")).toBeGreaterThan(0.0399);
  // sqrt(6 / 50), sqrt(6 / 250), 1 / sqrt(50): the bounds as their papers print them.
  expect(most("he-uniform")).toBeLessThanOrEqual(Math.sqrt(6 / 50));
  expect(most("glorot-uniform")).toBeLessThanOrEqual(Math.sqrt(6 / 250));
  expect(most("torch-uniform")).toBeLessThanOrEqual(1 / Math.sqrt(50));
  expect(most("zeros")).toBe(0);
  expect(new Set(draw("ones"))).toEqual(new Set([1]));
});

it("knows initialisers by their other names, and refuses what is none", () => {
  expect(initialiserNamed("kaiming-normal").name).toBe("he-normal");
  expect(initialiserNamed("Xavier-Uniform").name).toBe("glorot-uniform");
  expect(() => initialiserNamed("he-norml")).toThrow(/no initialiser is called "he-norml"/);
  expect(new Set(initialisers.map(({ name }) => name)).size).toBe(initialisers.length);
});

describe("weights of layers", () => {
  const variance = (values: readonly number[] | undefined): number => moment(values ?? [], 2);

  it("spread by the connections that their layer has", () => {
    const model = layerModel([64, 4, 4], (at, x) => {
      const y = depthwiseConv(at, conv(at, x, { filters: 128, kernel: 3 }), {
        kernel: 2,
        multiplier: 8,
      });
      return dense(at, conv(at, y, { filters: 64, kernel: 1, groups: 4, name: "group" }), {
        units: 300,
      });
    });
    const weights = weightsOf(model);
    expect(variance(weights["conv/weight"])).toBeCloseTo(2 / (64 * 9), 4);
    expect(variance(weights["depthwise/weight"]) / (2 / 4)).toBeCloseTo(1, 1);
    expect(variance(weights["group/weight"]) / (2 / 256)).toBeCloseTo(1, 1);
    expect(variance(weights["dense/weight"]) / (2 / 64)).toBeCloseTo(1, 1);
    expect(weights["conv/bias"]).toEqual(new Array(128).fill(0));
  });

  const pair = (seed: number) =>
    layerModel(
      [8, 4, 4],
      (at, x) =>
        conv(at, conv(at, x, { filters: 8, kernel: 3, padding: 1 }), { filters: 8, kernel: 3 }),
      { seed },
    );

  it("are the same for the same seed, in whatever order they are read", () => {
    const first = weightsOf(pair(3));
    const { graph } = pair(3);
    if (graph === undefined) throw new Error("no graph");
    const initializers = graph.initializers.toReversed();
    expect(weightsOf({ ...pair(3), graph: { ...graph, initializers } })).toEqual(first);
    expect(weightsOf(pair(4))["conv/weight"]).not.toEqual(first["conv/weight"]);
  });

  it("do not repeat from one layer to the next", () => {
    const weights = weightsOf(pair(3));
    const [a, b] = [weights["conv/weight"] ?? [], weights["conv2/weight"] ?? []];
    const correlation =
      mean(a.map((value, index) => value * (b[index] ?? 0))) / Math.sqrt(variance(a) * variance(b));
    expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(a.length));
  });
});
