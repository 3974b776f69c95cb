import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { operators } from "../../../test/operators.ts";
import { createSession, type TensorValue } from "../../engine/index.ts";
import { decodeModel, extendModel, type Model, memorySource } from "../../onnx/index.ts";
import { differentiate } from "./differentiate.ts";
import { crossEntropy } from "./losses/index.ts";
import { normaliseForTraining } from "./normalise.ts";
import { trainingMode } from "./training-mode.ts";
import { withLoss } from "./with-loss.ts";

// test/fixtures/gradients/generate.py: networks exported by PyTorch 1.13, and its gradients in float64.
const folder = new URL("../../../test/fixtures/gradients/", import.meta.url);

interface Reference {
  readonly input: { readonly dims: readonly number[]; readonly values: readonly number[] };
  readonly labels: readonly number[];
  readonly loss: number;
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  readonly statistics: Readonly<Record<string, readonly number[]>>;
}

const references = JSON.parse(readFileSync(new URL("gradients.json", folder), "utf8")) as Readonly<
  Record<string, Reference>
>;

const imported = (name: string): Model => {
  const file = new Uint8Array(readFileSync(new URL(`${name}.onnx`, folder)));
  return normaliseForTraining(decodeModel(memorySource(file)), { operators });
};

/** The network with fixed sizes, in training mode, with its loss, gradients and statistics as outputs. */
function trained(name: string, reference: Reference): Model {
  const { model, statistics } = trainingMode(imported(name), { operators, seed: 1 });
  const lossy = withLoss(model, { operators, loss: crossEntropy() });
  const { model: both, gradients } = differentiate(lossy.model, {
    operators,
    loss: lossy.loss,
    parameters: Object.keys(reference.gradients),
  });
  const g = extendModel(both, { operators });
  g.output(lossy.loss, { name: "the loss" });
  for (const [parameter, gradient] of gradients) g.output(gradient, { name: `d/${parameter}` });
  for (const [statistic, value] of statistics) g.output(value, { name: `next/${statistic}` });
  return g.finish();
}

function feeds({ input, labels }: Reference, ids: boolean): Readonly<Record<string, TensorValue>> {
  const x: TensorValue = ids
    ? { dataType: "int64", dims: input.dims, data: BigInt64Array.from(input.values, BigInt) }
    : { dataType: "float32", dims: input.dims, data: Float32Array.from(input.values) };
  const data = BigInt64Array.from(labels, BigInt);
  return { x, labels: { dataType: "int64", dims: [labels.length], data } };
}

/** Length of the difference, relative to that of the reference or what counts as nothing beside it. */
function distance(
  found: TensorValue | undefined,
  reference: readonly number[],
  nothing: number,
): number {
  const differences = reference.map((value, at) => Number(found?.data[at]) - value);
  return Math.hypot(...differences) / Math.max(Math.hypot(...reference), nothing);
}

describe("gradients of imported networks are PyTorch's", () => {
  test.each(Object.entries(references))("%s", async (name, reference) => {
    const session = await createSession(trained(name, reference), { threads: 1 });
    const result = await session.run(feeds(reference, name === "transformer"));
    await session.close();
    expect(Number(result["the loss"]?.data[0])).toBeCloseTo(reference.loss, 5);
    // Gradients that are zero in theory, such as that of a bias before a normalisation, are noise in both.
    const nothing = 1e-3 * Math.hypot(...Object.values(reference.gradients).flat());
    for (const [parameter, gradient] of Object.entries(reference.gradients)) {
      expect(result[`d/${parameter}`]?.data, parameter).toHaveLength(gradient.length);
      expect(distance(result[`d/${parameter}`], gradient, nothing), parameter).toBeLessThan(1e-4);
    }
    for (const [statistic, value] of Object.entries(reference.statistics)) {
      expect(distance(result[`next/${statistic}`], value, 0), statistic).toBeLessThan(1e-5);
    }
  });
});
