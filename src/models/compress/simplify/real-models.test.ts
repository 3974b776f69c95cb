// Every pass on every real model, one after the other: what ONNX Runtime computes must stay within the
// promise of the pass that changed something.

import { describe, expect, test } from "vitest";
import { inputsOf } from "../../../../test/model-inputs.ts";
import { runModel, type Values } from "../../../../test/onnx-runtime.ts";
import { operators } from "../../../../test/operators.ts";
import { modelFile, modelNames } from "../../../../test/shared-data.ts";
import { nativeRuntime, openModelFile } from "../../../engine/index.ts";
import type { Model } from "../../../onnx/index.ts";
import { withDataInside } from "../data-inside.ts";
import type { Fidelity, PassContext } from "../pass.ts";
import { type Step, stepOf } from "../run-passes.ts";
import { removeDeadCode } from "./dead-code.ts";
import { fixWeights } from "./fix-weights.ts";
import { foldConstants } from "./fold-constants.ts";
import { rulesPass } from "./rule.ts";
import { shareEqual } from "./share.ts";
import { simplify, simplifyRules } from "./simplify.ts";
import { storeConstants } from "./store-constants.ts";
import { upgradeOpset } from "./upgrade.ts";

const context: PassContext = { operators, runtime: nativeRuntime(), seed: 1 };

const byFidelity = (fidelity: Fidelity) =>
  simplifyRules.filter((rule) => rule.fidelity === fidelity);

const steps: readonly Step[] = [
  stepOf(fixWeights, { formatOnly: true }),
  stepOf(foldConstants, { integersOnly: true }),
  stepOf(rulesPass("exact rules", byFidelity("exact")), undefined),
  stepOf(fixWeights, undefined),
  stepOf(storeConstants, undefined),
  stepOf(upgradeOpset, undefined),
  stepOf(foldConstants, undefined),
  stepOf(rulesPass("reordering rules", byFidelity("reordered")), undefined),
  stepOf(shareEqual, undefined),
  stepOf(removeDeadCode, undefined),
];

/** Largest difference of any output, over the largest value there is; 0 only for equal bits. */
function difference(before: Values, after: Values): number {
  let [largest, worst] = [0, 0];
  for (const [name, { data }] of Object.entries(before)) {
    const other = after[name]?.data ?? [];
    for (let at = 0; at < data.length; at++) {
      const [a, b] = [Number(data[at]), Number(other[at])];
      largest = Math.max(largest, Math.abs(a));
      if (!Object.is(a, b)) worst = Math.max(worst, Math.abs(a - b), Number.MIN_VALUE);
    }
  }
  return worst / largest;
}

const LIMITS: Record<Fidelity, number> = { exact: 0, reordered: 1e-4, approximate: Infinity };

// Models of constants only say nothing of differences; one of them is enough.
const names = modelNames.filter((name) => !/light_(vgg|resnet|dense)/.test(name));

function load(name: string): Model {
  const opened = openModelFile(modelFile(name));
  return withDataInside(opened.model, opened.external);
}

test.skipIf(names.length === 0)("there are real models to test on", () => {
  expect(names).not.toEqual([]);
});

describe.each(names)("%s", (name) => {
  test("computes what it did after each pass that changed it", async () => {
    let model = load(name);
    const inputs = inputsOf(name, model, 1);
    const feedable = (of: Model): Values =>
      Object.fromEntries(
        Object.entries(inputs).filter(([key]) =>
          of.graph?.inputs.some((input) => input.name === key),
        ),
      );
    let before = await runModel(model, inputs);
    for (const step of steps) {
      const result = await step.apply(model, context);
      if (result.changes.length === 0) continue;
      model = result.model;
      const after = await runModel(model, feedable(model));
      expect(difference(before, after), step.pass).toBeLessThanOrEqual(LIMITS[step.fidelity]);
      before = after;
    }
  });
});

// Slow ones in which exact passes find next to nothing are left out.
const quick = names.filter((name) => !/basic_pitch|super_resolution|squeezenet/.test(name));

test.each(quick)("%s computes the same bit for bit where exactness is asked for", async (name) => {
  const model = load(name);
  const inputs = inputsOf(name, model, 2);
  const result = await simplify.apply(model, context, { exact: true });
  const [before, after] = [await runModel(model, inputs), await runModel(result.model, inputs)];
  expect(difference(before, after)).toBe(0);
  expect(result.model.graph?.nodes.length).toBeLessThanOrEqual(model.graph?.nodes.length ?? 0);
});
