// A net that is trained here, thinned by the search: channels taken out, layers split, what lost too much
// taught by the original, and all of it in 8 bits.

import { beforeAll, describe, expect, test } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import { operators } from "../../../../test/operators.ts";
import { smallVisionNet } from "../../../../test/small-vision.ts";
import { createRandom, seconds } from "../../../core/index.ts";
import { createSession, nativeRuntime } from "../../../engine/index.ts";
import { encodeModel, type Model } from "../../../onnx/index.ts";
import { accuracy, type Dataset, memoryDataset } from "../../data/index.ts";
import { adamW, crossEntropy, fit as fitModel } from "../../train/index.ts";
import { CALIBRATION_BATCH, inputsOf, samplesFor, threeSplits } from "../judge/index.ts";
import { memoryStore } from "./memo.ts";
import { applyRecipe, parseRecipe, recipeOf } from "./recipe.ts";
import { type SearchResult, search } from "./search.ts";
import type { SearchOptions } from "./search-options.ts";

const ROWS = 600;

const SIZE = 12;

/** Waves across, along, and both ways, at any phase and in noise: what a net tells apart by its channels. */
const WAVES = [
  [0.4, 0],
  [0, 0.4],
  [0.8, 0.8],
  [0.8, -0.8],
] as const;

function labelledWaves(): Dataset {
  const random = createRandom(3);
  const plane = SIZE * SIZE;
  const data = new Float32Array(ROWS * plane);
  const labels = new BigInt64Array(ROWS);
  for (let row = 0; row < ROWS; row++) {
    const label = row % WAVES.length;
    const [x, y] = WAVES[label] ?? WAVES[0];
    const phase = 2 * Math.PI * random.uniform();
    labels[row] = BigInt(label);
    for (let at = 0; at < plane; at++) {
      const wave = Math.sin(x * (at % SIZE) + y * Math.floor(at / SIZE) + phase);
      data[row * plane + at] = wave + 0.3 * random.normal();
    }
  }
  return memoryDataset("waves", [
    { name: "image", dataType: "float32", shape: [1, SIZE, SIZE], data },
    { name: "label", dataType: "int64", shape: [], data: labels },
  ]);
}

describe.skipIf(nativeMissing !== null)("thinning a trained net", () => {
  let trained: Model;
  let options: SearchOptions;
  let result: SearchResult;

  beforeAll(async () => {
    const data = labelledWaves();
    const fitted = await fitModel(smallVisionNet(9), {
      ...{ operators, train: data, loss: crossEntropy(), optimizer: adamW(), seed: 1 },
      schedule: () => () => 2e-3,
      ...{ epochs: 6, batchSize: 20, engine: { threads: 1 }, thread: "caller" },
    });
    trained = fitted.model;
    const session = await createSession(trained);
    await session.close();
    options = {
      samples: samplesFor(data, session.inputs, { batch: 16 }),
      splits: await threeSplits(data, { calibration: 16, training: 120 }),
      ...{ judge: { metric: accuracy, truth: "label" }, store: memoryStore(), maxDrop: 0.1 },
      ...{ objective: "energy", allow: ["quantise", "prune", "factorise", "distil"] },
      ...{ effort: "normal", batch: 1, alpha: 0.05, roundTime: seconds(0.002) },
      context: { operators, runtime: nativeRuntime(), seed: 1 },
      secondsLeft: () => 600,
      onEvent: () => {},
    };
    result = await search(trained, options);
  }, 120_000);

  const passesOf = (steps: readonly { readonly pass: string }[]) => steps.map(({ pass }) => pass);

  test("offers models that are pruned, and split, and each in 8 bits", () => {
    const tried = new Set(
      [...result.candidates, ...result.front].map(({ steps }) => passesOf(steps).join(" ")),
    );
    expect([...tried].join("\n")).toMatch(/prune/);
    const smallest = result.candidates.reduce((a, b) => (b.bytes < a.bytes ? b : a));
    expect(passesOf(smallest.steps)).toEqual(expect.arrayContaining(["quantise-static"]));
    expect(passesOf(smallest.steps).join(" ")).toMatch(/prune|factorise/);
  });

  test.each([
    [["prune", { ratio: 0.5 }] as const],
    [["factorise", { rank: { rule: "budget", keep: 0.6 } }] as const],
  ])(
    "a recipe with %j, distilled and in 8 bits, gives the same bytes again",
    async ([pass, of]) => {
      const { calibration, training } = options.splits;
      const recipe = recipeOf(
        [
          { pass: "simplify", options: {} },
          { pass, options: of },
          { pass: "distil", options: { epochs: 2, match: "logits" } },
          { pass: "quantise-static", options: { calibration: { method: "mse" }, keepFloat: [] } },
        ],
        {
          ...{ seed: 1, training: [...training] },
          calibration: { rows: [...calibration], batch: CALIBRATION_BATCH },
        },
      );
      expect(recipe.training).toEqual(training);
      const parsed = parseRecipe(JSON.parse(JSON.stringify(recipe)), "a recipe");
      const { model, changes } = await applyRecipe(trained, parsed, {
        ...options.context,
        calibration: inputsOf(options.samples, parsed.calibration.rows, parsed.calibration.batch),
        training: inputsOf(options.samples, parsed.training),
      });
      expect(passesOf(changes)).toEqual(
        expect.arrayContaining([pass, "distil", "quantise-static"]),
      );
      const { model: built } = await result.workshop.build(recipe.steps);
      expect(Buffer.compare(encodeModel(model), encodeModel(built))).toBe(0);
    },
  );

  test("training rows are kept out of the search and of the verification", () => {
    const { training, calibration, search: searched, verify } = options.splits;
    expect(training.slice(0, calibration.length)).toEqual(calibration);
    expect(training.length).toBe(120);
    const all = [...training, ...searched, ...verify];
    expect(new Set(all).size).toBe(ROWS);
  });
});
