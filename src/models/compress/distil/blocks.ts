// Block by block: each part of a student learns to give what the teacher gives at the same place, from
// what the parts before it really give. Small problems, no pass through the whole network (the scale at
// which two cores are enough).

import { createSession, type Runtime, type TensorValue } from "../../../engine/index.ts";
import { inferShapes, type Model, type Shape, sameSize, typeOfValue } from "../../../onnx/index.ts";
import { type Dataset, memoryDataset, readColumn } from "../../data/index.ts";
import { cutPoints } from "../../dynamic/early-exit/cut-points.ts";
import { partOf } from "../../dynamic/early-exit/part.ts";
import { type Match, matching, taughtColumn } from "./matching.ts";
import { type Learned, type TeachingOptions, train } from "./student.ts";
import { joinedRows, teach } from "./taught.ts";

export interface BlockOptions extends TeachingOptions {
  readonly teacher: Model;
  /** Samples under the name of the models' only input. */
  readonly data: Dataset;
  /** Channels of a value that the student still has, as `prune` tells; null for all. */
  readonly kept?: (value: string) => readonly number[] | null;
}

/** One part that was trained: from one value to another. */
export interface BlockReport extends Pick<Learned, "before" | "after" | "kept"> {
  readonly from: string;
  readonly to: string;
}

/**
 * Reconstructs a student with one input, block after block. Blocks end at values that both models have,
 * of shapes that fit each other; where there are none, the whole student is one block.
 */
export async function reconstructBlocks(
  student: Model,
  options: BlockOptions,
): Promise<{ readonly model: Model; readonly blocks: readonly BlockReport[] }> {
  const input = student.graph?.inputs[0]?.name ?? "";
  const ends = blockEnds(student, options);
  const blocks: BlockReport[] = [];
  let model = student;
  let from = input;
  let reaching = await readColumn(options.data, input);
  for (const to of ends) {
    options.signal?.throwIfAborted();
    const match: Match = { value: to, kind: "features" };
    const { dataset, energies } = await teach(options.teacher, options.data, [match], {
      operators: options.operators,
      ...(options.runtime === undefined ? {} : { runtime: options.runtime }),
      ...(options.kept === undefined ? {} : { kept: options.kept }),
    });
    const taught = await readColumn(dataset, taughtColumn(to));
    const samples = memoryDataset("block", [
      columnOf(from, reaching),
      columnOf(taughtColumn(to), taught),
    ]);
    const block = partOf(model, { inputs: [from], outputs: [to] });
    const loss = matching([match], { energies });
    const learned = await train(block, { dataset: samples, loss, predictions: [to] }, options);
    if (learned.kept) model = withWeightsOf(model, learned.model);
    const { before, after, kept } = learned;
    blocks.push({ from, to, before, after, kept });
    reaching = await runAll(
      learned.model,
      { input: from, output: to, value: reaching },
      options.runtime,
    );
    from = to;
  }
  return { model, blocks };
}

const columnOf = (name: string, { dims, data }: TensorValue) =>
  ({ name, dataType: "float32", shape: dims.slice(1), data }) as const;

/** Values at which blocks end: the last before the next layer with weights, and the output. */
function blockEnds(student: Model, { teacher, kept }: BlockOptions): readonly string[] {
  const { graph } = student;
  const output = graph?.outputs[0]?.name ?? "";
  const theirs = inferShapes(teacher).graph;
  const common = cutPoints(student).filter(({ value, shape }) => {
    const type = typeOfValue(theirs, value);
    const other = type?.kind === "tensor" ? type.shape : null;
    return other !== null && fits(shape, other, kept?.(value) ?? null);
  });
  const weighted = (graph?.nodes ?? []).map(({ opType }) =>
    ["Conv", "MatMul", "Gemm"].includes(opType),
  );
  const between = (after: number, until: number): boolean =>
    weighted.slice(after + 1, until + 1).includes(true);
  const ends: string[] = [];
  let last = -1;
  for (const [at, { value, after }] of common.entries()) {
    const next = common[at + 1]?.after ?? weighted.length;
    if (!between(last, after) || !between(after, next)) continue;
    ends.push(value);
    last = after;
  }
  return [...ends, output];
}

/** Whether a student's value is the teacher's, or the channels of it that are left. */
function fits(own: Shape, theirs: Shape, kept: readonly number[] | null): boolean {
  return (
    own.length === theirs.length &&
    own.every((size, axis) => {
      const other = theirs[axis] ?? 0;
      if (axis === 1 && kept !== null) return size === kept.length;
      // Sizes that are open in both are those of the batch.
      return sameSize(size, other) || (typeof size !== "number" && typeof other !== "number");
    })
  );
}

function withWeightsOf(model: Model, learned: Model): Model {
  const { graph } = model;
  if (graph === undefined) return model;
  const stored = new Map(
    (learned.graph?.initializers ?? []).map((tensor) => [tensor.name, tensor]),
  );
  const initializers = graph.initializers.map((tensor) => stored.get(tensor.name) ?? tensor);
  return { ...model, graph: { ...graph, initializers } };
}

/** Rows that go through a block at once. */
const BATCH = 32;

async function runAll(
  block: Model,
  {
    input,
    output,
    value,
  }: { readonly input: string; readonly output: string; readonly value: TensorValue },
  runtime: Runtime | undefined,
): Promise<TensorValue> {
  const session = await createSession(block, runtime === undefined ? {} : { runtime });
  try {
    const [rows = 0, ...rest] = value.dims;
    const length = value.data.length / Math.max(1, rows);
    const batches: TensorValue[] = [];
    for (let from = 0; from < rows; from += BATCH) {
      const to = Math.min(rows, from + BATCH);
      const data = (value.data as Float32Array).slice(from * length, to * length);
      const outputs = await session.run({
        [input]: { dataType: "float32", dims: [to - from, ...rest], data },
      });
      const found = outputs[output];
      if (found !== undefined) batches.push(found);
    }
    const { shape, data } = joinedRows(batches);
    return { dataType: "float32", dims: [rows, ...shape], data };
  } finally {
    await session.close();
  }
}
