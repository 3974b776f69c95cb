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
import { smoothQuant } from "./equalise/smooth-quant.ts";
import { outputsOn } from "./sensitivity.ts";
import { quantiseStatic } from "./static.ts";
import { quantiseWeights } from "./weight-only/weight-only.ts";

function feedsFor(name: string, model: Model): Feeds {
  const inputs = Object.entries(inputsOf(name, model, 1));
  return Object.fromEntries(
    inputs.map(([key, { type, dims, data }]) => [
      key,
      { dataType: type, dims, data } as TensorValue,
    ]),
  );
}

test.skipIf(modelNames.length === 0)("there are real models to test on", () => {
  expect(modelNames).not.toEqual([]);
});

describe.each(modelNames)("%s", (name) => {
  test("runs on static and dynamic grids, smoothed, and with few bits a weight, or says why not", async () => {
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
    const results = {
      static: await quantiseStatic.apply(model, context, options),
      dynamic: await quantiseDynamic.apply(model, context, undefined),
      smooth: await smoothQuant.apply(model, context, undefined),
      weights: await quantiseWeights.apply(model, context, { bits: 4, method: "hqq" }),
    };
    for (const [pass, result] of Object.entries(results)) {
      if (result.changes.length === 0) {
        expect(result.refused.length, pass).toBeGreaterThan(0);
        continue;
      }
      // Smoothing stores scales beside the weights; all others store less.
      const most = encodeModel(model).length * (pass === "smooth" ? 1.1 : 1.02);
      expect(encodeModel(result.model).length, pass).toBeLessThan(most);
      const [outputs] = await outputsOn(result.model, [feeds], context);
      for (const { data } of Object.values(outputs ?? {})) {
        if (data instanceof Float32Array) expect(data.every(Number.isFinite)).toBe(true);
      }
      if (pass === "static") {
        expect(await floatLeftovers(result.model, feeds, context)).toEqual([]);
      }
    }
  });
});
