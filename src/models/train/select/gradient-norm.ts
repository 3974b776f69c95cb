// GraNd: how much a sample would move the model (Paul, Ganguli & Dziugaite, Deep Learning on a Data Diet,
// 2021, definition 2.1). Exact, one backward pass a sample; EL2N is its cheap relative.

import { createSession } from "../../../engine/index.ts";
import { extendModel, type Model } from "../../../onnx/index.ts";
import { allRows, type Dataset } from "../../data/index.ts";
import { withoutOutputs } from "../graph-surgery.ts";
import { wired } from "../wiring.ts";
import { type GradientOptions, gradientGraph } from "./gradient-graph.ts";

export interface GradientNormOptions extends GradientOptions {
  /** Rows that are measured. Default: all. */
  readonly rows?: readonly number[];
  readonly signal?: AbortSignal;
}

/** Length of the gradient of the loss on each sample alone, over all parameters that count. */
export async function gradientNorms(
  model: Model,
  dataset: Dataset,
  options: GradientNormOptions,
): Promise<Float64Array> {
  const { rows = allRows(dataset.length), signal, operators } = options;
  const { model: whole, gradients, wires } = gradientGraph(model, dataset, 1, options);
  const graph = extendModel(withoutOutputs(whole), { operators });
  const squares = [...gradients.values()].map((gradient) =>
    graph.op("ReduceSumSquare", [gradient], { keepdims: 0 }),
  );
  const norm = graph.op("Sqrt", [graph.op("Sum", squares)]);
  graph.output(norm);
  const session = await createSession(graph.finish(), { name: "gradient norms", threads: 1 });
  try {
    const norms = new Float64Array(rows.length);
    for (const [at, row] of rows.entries()) {
      signal?.throwIfAborted();
      const outputs = await session.run(wired(await dataset.batch([row]), wires));
      norms[at] = Number(outputs[norm]?.data[0]);
    }
    return norms;
  } finally {
    await session.close();
  }
}
