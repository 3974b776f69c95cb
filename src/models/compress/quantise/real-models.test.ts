// Every real model in 8 bits: what comes out runs and is finite, or the reason is stated why nothing does.

import { describe, expect, test } from "vitest";
import { inputsOf } from "../../../../test/model-inputs.ts";
import { operators } from "../../../../test/operators.ts";
import { modelFile, modelNames } from "../../../../test/shared-data.ts";
import { nativeRuntime, openModelFile, type TensorValue } from "../../../engine/index.ts";
import { encodeModel, type Model } from "../../../onnx/index.ts";
import { withDataInside } from "../data-inside.ts";
import type { Feeds, PassContext } from "../pass.ts";
import { simplify } from "../simplify/simplify.ts";
import { floatLeftovers } from "./check-islands.ts";
import { quantiseDynamic } from "./dynamic.ts";
import { outputsOn } from "./sensitivity.ts";
import { quantiseStatic } from "./static.ts";

// Graphs whose weights are computed in every run: nothing is stored that could be quantised.
const names = modelNames.filter((name) => !/light_(vgg|resnet|dense)/.test(name));

function feedsFor(name: string, model: Model): Feeds {
  const inputs = Object.entries(inputsOf(name, model, 1));
  return Object.fromEntries(
    inputs.map(([key, { type, dims, data }]) => [
      key,
      { dataType: type, dims, data } as TensorValue,
    ]),
  );
}

describe.each(names)("%s", (name) => {
  test("runs in 8 bits by static and by dynamic grids, or says why it is left alone", async () => {
    const opened = openModelFile(modelFile(name));
    const original = withDataInside(opened.model, opened.external);
    const feeds = feedsFor(name, original);
    const context: PassContext = {
      operators,
      runtime: nativeRuntime(),
      seed: 1,
      async *calibration() {
        yield feeds;
      },
    };
    const { model } = await simplify.apply(original, context, undefined);
    const options = { calibration: { method: "minmax" } } as const;
    const results = [
      await quantiseStatic.apply(model, context, options),
      await quantiseDynamic.apply(model, context, undefined),
    ];
    for (const [at, result] of results.entries()) {
      if (result.changes.length === 0) {
        expect(result.refused.length).toBeGreaterThan(0);
        continue;
      }
      expect(encodeModel(result.model).length).toBeLessThan(encodeModel(model).length * 1.02);
      const [outputs] = await outputsOn(result.model, [feeds], context);
      for (const { data } of Object.values(outputs ?? {})) {
        if (data instanceof Float32Array) expect(data.every(Number.isFinite)).toBe(true);
      }
      if (at === 0) expect(await floatLeftovers(result.model, feeds, context)).toEqual([]);
    }
  });
});
