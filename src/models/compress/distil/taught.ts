// What a teacher says of every sample, computed once and kept beside the samples: no labels are needed,
// and the teacher does not run again in every epoch.

import { UserError } from "../../../core/index.ts";
import { createSession, type Runtime, type TensorValue } from "../../../engine/index.ts";
import {
  extendModel,
  inferShapes,
  type Model,
  type OperatorTable,
  typeOfValue,
} from "../../../onnx/index.ts";
import { type Dataset, memoryDataset, readColumn } from "../../data/index.ts";
import { concatBatches } from "../../data/stack.ts";
import type { Feeds } from "../pass.ts";
import { noCalibration } from "../statistics.ts";
import { attentionMap, type Match, taughtColumn } from "./matching.ts";

/** Samples with the teacher's answers, and the mean square of each. */
export interface Taught {
  readonly dataset: Dataset;
  readonly energies: ReadonlyMap<string, number>;
}

export interface TeachOptions {
  readonly operators: OperatorTable;
  readonly runtime?: Runtime;
  readonly signal?: AbortSignal;
  /** Channels of a value (axis 1) that the student still has; null for all. */
  readonly kept?: (value: string) => readonly number[] | null;
}

/** Rows that go through the teacher at once. */
const BATCH = 32;

/** Runs the teacher over the columns that its inputs are named after. */
export async function teach(
  teacher: Model,
  data: Dataset,
  matches: readonly Match[],
  options: TeachOptions,
): Promise<Taught> {
  const inputs = (teacher.graph?.inputs ?? []).map(({ name }) => name);
  const columns = await Promise.all(inputs.map((name) => readColumn(data, name)));
  const { model, outputs } = answering(teacher, matches, {
    ...options,
    sizes: Object.fromEntries(inputs.map((name, at) => [name, columns[at]?.dims ?? []])),
  });
  const answers = new Map<string, TensorValue[]>(matches.map(({ value }) => [value, []]));
  const session = await createSession(
    model,
    options.runtime === undefined ? {} : { runtime: options.runtime },
  );
  try {
    for (let from = 0; from < data.length; from += BATCH) {
      options.signal?.throwIfAborted();
      const rows = Array.from(
        { length: Math.min(BATCH, data.length - from) },
        (_, at) => from + at,
      );
      const batch = await data.batch(rows, inputs);
      const given = await session.run(Object.fromEntries(batch));
      for (const { value, kind, project } of matches) {
        const found = given[outputs.get(value) ?? ""];
        // Attention and projections stand for all channels of the teacher.
        const own = kind === "features" && project !== true;
        const channels = own ? (options.kept?.(value) ?? null) : null;
        if (found !== undefined) answers.get(value)?.push(withChannels(found, channels));
      }
    }
  } finally {
    await session.close();
  }
  const energies = new Map<string, number>();
  const taught = [...answers].map(([value, batches]) => {
    const joined = joinedRows(batches);
    energies.set(value, meanSquare(joined.data));
    return { name: taughtColumn(value), dataType: "float32" as const, ...joined };
  });
  const own = inputs.map((name, at) => {
    const column = columns[at] as TensorValue;
    return { name, dataType: column.dataType, shape: column.dims.slice(1), data: column.data };
  });
  return { dataset: memoryDataset(`${data.name}, taught`, [...own, ...taught]), energies };
}

/** The teacher with an output for each match. */
function answering(
  teacher: Model,
  matches: readonly Match[],
  of: TeachOptions & { readonly sizes: Readonly<Record<string, readonly number[]>> },
) {
  const shapes = inferShapes(teacher, { inputs: of.sizes }).graph;
  const { graph } = teacher;
  const outputs = new Map<string, string>();
  const bare = graph === undefined ? teacher : { ...teacher, graph: { ...graph, outputs: [] } };
  const builder = extendModel(bare, { operators: of.operators });
  for (const { value, kind } of matches) {
    const type = typeOfValue(shapes, value);
    const shape = type?.kind === "tensor" ? (type.shape ?? []) : [];
    if (type === null) {
      throw new UserError("invalid-input", `the teacher has no value "${value}"`, {
        hint: "Match values that both models have by the same name.",
      });
    }
    const scope = builder.scope("teacher");
    const answer =
      kind === "attention"
        ? attentionMap(scope, value, shape.map(Number))
        : scope.op("Identity", [value]);
    builder.output(answer);
    outputs.set(value, answer);
  }
  return { model: builder.finish(), outputs };
}

/** Some channels of a value, axis 1. */
function withChannels(value: TensorValue, kept: readonly number[] | null): TensorValue {
  if (kept === null) return value;
  const [batch = 1, channels = 1, ...rest] = value.dims;
  const inner = rest.reduce((product, size) => product * size, 1);
  const from = value.data as Float32Array;
  const data = new Float32Array(batch * kept.length * inner);
  for (let row = 0; row < batch; row++) {
    for (const [to, channel] of kept.entries()) {
      const start = (row * channels + channel) * inner;
      data.set(from.subarray(start, start + inner), (row * kept.length + to) * inner);
    }
  }
  return { dataType: "float32", dims: [batch, kept.length, ...rest], data };
}

export function joinedRows(batches: readonly TensorValue[]): {
  readonly shape: readonly number[];
  readonly data: Float32Array;
} {
  const data = new Float32Array(batches.reduce((sum, batch) => sum + batch.data.length, 0));
  let at = 0;
  for (const batch of batches) {
    data.set(batch.data as Float32Array, at);
    at += batch.data.length;
  }
  return { shape: batches[0]?.dims.slice(1) ?? [], data };
}

const meanSquare = (data: Float32Array): number =>
  data.reduce((sum, value) => sum + value * value, 0) / Math.max(1, data.length);

/** Calibration inputs as a dataset: their first axes are samples. Throws UserError where there are none. */
export async function datasetOfFeeds(feeds: AsyncIterable<Feeds>): Promise<Dataset> {
  const columns = new Map<string, TensorValue[]>();
  for await (const feed of feeds) {
    for (const [name, value] of Object.entries(feed)) {
      if (!("dims" in value))
        throw new UserError("invalid-input", `calibration input "${name}" states no dimensions`, {
          hint: "Give tensors with their dimensions, not bare elements.",
        });
      const list = columns.get(name) ?? [];
      if (list.length === 0) columns.set(name, list);
      list.push(value);
    }
  }
  if (columns.size === 0) throw noCalibration();
  return memoryDataset(
    "calibration",
    [...columns].map(([name, batches]) => {
      const { dataType, dims, data } = concatBatches(batches);
      return { name, dataType, shape: dims.slice(1), data };
    }),
  );
}
