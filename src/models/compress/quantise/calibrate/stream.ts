// Values inside a graph as they go by, run after run: nothing is kept, and no more is asked for at once
// than fits in a bounded memory.

import { UserError } from "../../../../core/index.ts";
import { createSession, isTensorValue, type TensorElements } from "../../../../engine/index.ts";
import { inferShapes, type Model } from "../../../../onnx/index.ts";
import type { Feeds, PassContext } from "../../pass.ts";

/** Bytes of values that one run hands out. */
const BYTES_AT_ONCE = 2 ** 27;
/** What a value is taken to need whose size is not known. */
const UNKNOWN_BYTES = 2 ** 22;

export interface StreamOptions {
  /** What errors and progress call the work. */
  readonly pass: string;
  readonly step: string;
}

/**
 * Runs the model on all calibration inputs and shows every value of every run to `visit`. Gives the
 * number of runs. Throws UserError where there are no inputs.
 */
export async function streamValues(
  model: Model,
  values: readonly string[],
  context: PassContext,
  visit: (name: string, elements: TensorElements) => void,
  { pass, step }: StreamOptions,
): Promise<number> {
  const { calibration, signal, onProgress, runtime } = context;
  if (calibration === undefined) throw noInputs(pass);
  const inputs = new Set(model.graph?.inputs.map(({ name }) => name));
  const made = values.filter((name) => !inputs.has(name));
  const session = await createSession(exposing(model, made), { runtime });
  let groups: readonly (readonly string[])[] | null = null;
  let runs = 0;
  try {
    for await (const feeds of calibration()) {
      signal?.throwIfAborted();
      for (const name of values) {
        const feed = inputs.has(name) ? feeds[name] : undefined;
        if (feed !== undefined) visit(name, isTensorValue(feed) ? feed.data : feed);
      }
      groups ??= groupsOf(model, made, feeds);
      for (const outputs of groups) {
        if (outputs.length === 0) continue;
        const results = await session.run(feeds, { outputs });
        for (const [name, { data }] of Object.entries(results)) visit(name, data);
      }
      runs++;
      onProgress?.({ pass, step, done: runs, total: null });
    }
  } finally {
    await session.close();
  }
  if (runs === 0) throw noInputs(pass);
  return runs;
}

function noInputs(pass: string): UserError {
  return new UserError("invalid-input", `${pass} needs inputs to look at, and there are none`, {
    hint: "Give calibration inputs: a hundred that are typical are enough.",
  });
}

/** The model with values that nodes make as further outputs. */
function exposing(model: Model, values: readonly string[]): Model {
  const { graph } = model;
  if (graph === undefined) return model;
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const added = values.filter((name) => !outputs.has(name));
  return {
    ...model,
    graph: {
      ...graph,
      outputs: [...graph.outputs, ...added.map((name) => ({ name, metadata: [] }))],
    },
  };
}

/** The values in groups that fit in memory, by their sizes for the first inputs. */
function groupsOf(
  model: Model,
  values: readonly string[],
  feeds: Feeds,
): readonly (readonly string[])[] {
  const inputs = Object.fromEntries(
    Object.entries(feeds).flatMap(([name, feed]) =>
      isTensorValue(feed) ? [[name, feed.dims] as const] : [],
    ),
  );
  const { graph } = inferShapes(model, { inputs });
  const groups: string[][] = [[]];
  let bytes = 0;
  for (const name of values) {
    const type = graph.values.get(name);
    const shape = type?.kind === "tensor" ? type.shape : null;
    const known = shape?.every((size) => typeof size === "number") ?? false;
    const size = known
      ? 4 * (shape ?? []).reduce<number>((a, b) => a * Number(b), 1)
      : UNKNOWN_BYTES;
    if (bytes > 0 && bytes + size > BYTES_AT_ONCE) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(name);
    bytes += size;
  }
  return groups;
}
