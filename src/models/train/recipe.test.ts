import { expect, test } from "vitest";
import { UserError } from "../../core/index.ts";
import { lossOf, optimizerOf, parseRecipe, type Recipe, scheduleOf } from "./recipe.ts";

const least = {
  schema: "godwit.recipe/1",
  model: { net: "lenet-5" },
  data: "digits",
  epochs: 2,
  batchSize: 8,
  seed: 1,
  loss: { kind: "cross-entropy", smoothing: 0.1 },
  metric: "accuracy",
  optimizer: { kind: "sgd", momentum: 0.9 },
  schedule: { kind: "cosine", rate: 0.1, warmUp: 0.2 },
};

test("a recipe is read with its defaults, and a slip is told by its place", () => {
  expect(parseRecipe(least)).toMatchObject({ validation: 0.1, test: 0, accumulate: 1 });
  const wrong: readonly (readonly [object, string])[] = [
    [{ epochs: 0 }, "epochs"],
    [{ epocs: 3 }, "epocs"],
    [{ optimizer: { kind: "sgd", momentun: 0.9 } }, "momentun"],
    [{ schedule: { kind: "cosine", rate: -1 } }, "schedule.rate"],
    [{ schema: "godwit.recipe/2" }, "schema"],
  ];
  for (const [change, where] of wrong) {
    expect(() => parseRecipe({ ...least, ...change }, "r.json")).toThrow(UserError);
    expect(() => parseRecipe({ ...least, ...change }, "r.json")).toThrow(where);
  }
});

test("every kind of loss, optimiser and schedule can be had", () => {
  const losses: readonly Recipe["loss"][] = [
    { kind: "cross-entropy" },
    { kind: "binary-cross-entropy" },
    { kind: "mse" },
    { kind: "mae" },
    { kind: "huber", delta: 2 },
    { kind: "kl-divergence" },
    { kind: "bpr" },
    { kind: "pinball", quantiles: [0.1, 0.9] },
  ];
  for (const loss of losses) expect(lossOf(loss).name).toBe(loss.kind);
  const optimizers = ["sgd", "adam", "adamw", "rmsprop", "adagrad", "lion"] as const;
  for (const kind of optimizers) expect(optimizerOf({ kind }).name).toBe(kind);
  const schedules: readonly Recipe["schedule"][] = [
    { kind: "constant", rate: 1 },
    { kind: "one-cycle", rate: 1 },
    { kind: "step", rate: 1, changes: 2, factor: 0.1 },
    { kind: "exponential", rate: 1, end: 0.01 },
    { kind: "cosine", rate: 1 },
  ];
  const ends = [1, 0, 0.01, 0.01, 0];
  for (const [at, schedule] of schedules.entries()) {
    const of = scheduleOf(schedule, 1000);
    expect(Math.max(...[0, 299, 500, 999].map(of))).toBeCloseTo(1, 2);
    expect(of(999)).toBeCloseTo(ends[at] ?? Number.NaN, 2);
  }
});

test("a warm-up takes its share of the run and leaves the rest to the schedule", () => {
  const of = scheduleOf({ kind: "cosine", rate: 1, warmUp: 0.2 }, 100);
  expect([0, 9, 19, 20].map(of)).toEqual([0.05, 0.5, 1, 1]);
  expect(of(60)).toBeCloseTo(0.5, 10);
  expect(of(100)).toBeCloseTo(0, 10);
});
