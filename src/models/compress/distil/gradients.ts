// Gradients of a loss over labelled samples, for importance by Taylor's series.

import { createSession, type Runtime, withStaticDims } from "../../../engine/index.ts";
import type { Model, OperatorTable } from "../../../onnx/index.ts";
import type { Dataset } from "../../data/index.ts";
import { differentiate, type Loss, trainableParameters, withLoss } from "../../train/index.ts";

export interface GradientOptions {
  readonly operators: OperatorTable;
  readonly runtime?: Runtime;
  readonly loss: Loss;
  /** Samples under the names of the model's inputs and of the loss's targets. */
  readonly data: Dataset;
  /** Rows of one batch; those left over are not used. Default: 16. */
  readonly batchSize?: number;
}

/**
 * Mean over batches of the absolute gradient of each trainable weight, by tensor: for
 * `{ by: "taylor", gradients }`.
 */
export async function meanGradients(
  model: Model,
  { operators, runtime, loss, data, batchSize = 16 }: GradientOptions,
): Promise<ReadonlyMap<string, Float32Array>> {
  const inputs = (model.graph?.inputs ?? []).map(({ name }) => name);
  const sample = await data.batch([0]);
  const shapes = Object.fromEntries(
    inputs.map((name) => [name, [batchSize, ...(sample.get(name)?.dims.slice(1) ?? [])]]),
  );
  const parameters = trainableParameters(model);
  const judged = withLoss(withStaticDims(model, { shapes }), { operators, loss });
  const whole = differentiate(judged.model, { operators, loss: judged.loss, parameters });
  const outputs = [...whole.gradients.values()];
  const exposed = whole.model.graph;
  const known = new Set(exposed?.outputs.map(({ name }) => name));
  const added = outputs.filter((name) => !known.has(name)).map((name) => ({ name, metadata: [] }));
  const graph = exposed && { ...exposed, outputs: [...exposed.outputs, ...added] };
  const source = graph === undefined ? whole.model : { ...whole.model, graph };
  const session = await createSession(source, runtime === undefined ? {} : { runtime });
  const sums = new Map<string, Float32Array>();
  try {
    for (let from = 0; from + batchSize <= data.length; from += batchSize) {
      const batch = await data.batch(Array.from({ length: batchSize }, (_, at) => from + at));
      const targets = judged.targets.map(({ role, input }) => {
        // Datasets call one label what a loss calls labels.
        return [input, batch.get(role) ?? batch.get(role.replace(/s$/, ""))] as const;
      });
      const fed = [...inputs.map((name) => [name, batch.get(name)] as const), ...targets];
      const feeds = Object.fromEntries(
        fed.flatMap(([name, value]) => (value ? [[name, value]] : [])),
      );
      const results = await session.run(feeds, { outputs });
      for (const [parameter, output] of whole.gradients) {
        const gradient = results[output]?.data as Float32Array;
        const sum = sums.get(parameter) ?? new Float32Array(gradient.length);
        sums.set(parameter, sum);
        for (const [i, value] of gradient.entries()) sum[i] = (sum[i] ?? 0) + Math.abs(value);
      }
    }
  } finally {
    await session.close();
  }
  return sums;
}
