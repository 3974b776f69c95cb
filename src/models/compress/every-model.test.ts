// Every structural pass on every real model: what comes out runs, and what was left alone has a reason.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { inputsOf } from "../../../test/model-inputs.ts";
import { refusalOf, runModel } from "../../../test/onnx-runtime.ts";
import { operators } from "../../../test/operators.ts";
import { modelFile, modelNames } from "../../../test/shared-data.ts";
import { nativeRuntime } from "../../engine/index.ts";
import { decodeModel, type Graph, indexGraph, type Model, memorySource } from "../../onnx/index.ts";
import { cluster, storeHalf } from "./cluster/index.ts";
import { factorise } from "./factorise/index.ts";
import { layersOf } from "./layer.ts";
import type { PassContext, PassResult } from "./pass.ts";
import { prune } from "./prune/index.ts";
import { equaliseLayers, quantiseWeights } from "./quantise/index.ts";
import { runSteps, stepOf } from "./run-passes.ts";
import { sparsify, storeSparse } from "./sparsify/index.ts";

const context: PassContext = { operators, runtime: nativeRuntime(), seed: 1 };

type Apply = (model: Model, context: PassContext) => Promise<PassResult>;

/** Small layers: decompositions of large ones take seconds. */
const smallLayers = (model: Model): readonly string[] =>
  layersOf(indexGraph(model.graph as Graph))
    .layers.filter(({ weight }) => weight.dims.reduce((a, b) => a * b, 1n) < 16_000n)
    .map(({ name }) => name);

const PASSES: Readonly<Record<string, Apply>> = {
  factorise: (model, of) =>
    factorise.apply(model, of, {
      rank: { rule: "share", share: 0.25 },
      align: 8,
      only: smallLayers(model),
    }),
  sparsify: async (model, of) => {
    const options = { pattern: { kind: "free", sparsity: 0.8 }, only: smallLayers(model) } as const;
    return runSteps(model, [stepOf(sparsify, options), stepOf(storeSparse, undefined)], of);
  },
  cluster: async (model, of) =>
    runSteps(
      model,
      [stepOf(cluster, { clusters: 64, by: "lloyd" }), stepOf(storeHalf, undefined)],
      of,
    ),
  prune: (model, of) => prune.apply(model, of, { ratio: 0.5, align: 8 }),
  "quantise-weights": (model, of) => quantiseWeights.apply(model, of, { bits: 8 }),
  equalise: (model, of) => equaliseLayers.apply(model, of, undefined),
};

const cases = modelNames.flatMap((file) => Object.keys(PASSES).map((pass) => ({ file, pass })));

describe.skipIf(nativeMissing !== null)("on real models", () => {
  test.skipIf(modelNames.length === 0)("there are some", () => {
    expect(modelNames).not.toEqual([]);
  });

  test.each(cases)("$pass of $file gives a model that runs", async ({ file, pass }) => {
    const model = decodeModel(memorySource(readFileSync(modelFile(file))));
    const result = await PASSES[pass]?.(model, context);
    if (result === undefined) throw new Error(`no pass ${pass}`);
    if (result.changes.length === 0) {
      expect(result.model).toBe(model);
      for (const { reason } of result.refused) expect(reason).not.toBe("");
      return;
    }
    if (file.startsWith("light")) {
      // Large networks without real weights: that they load says enough.
      expect(await refusalOf(result.model)).toBeNull();
      return;
    }
    const inputs = inputsOf(file, model, 1);
    const outputs = await runModel(result.model, inputs);
    expect(Object.keys(outputs)).toEqual(model.graph?.outputs.map(({ name }) => name));
    for (const { type, data } of Object.values(outputs)) {
      if (type === "float32") expect((data as Float32Array).every(Number.isFinite)).toBe(true);
    }
  });
});
