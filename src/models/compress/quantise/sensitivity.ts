// How much each node costs in accuracy when it alone computes in 8 bits. Many models lose nearly
// everything at a few nodes; these stay in floats.

import { UserError } from "../../../core/index.ts";
import { createSession, type Outputs } from "../../../engine/index.ts";
import type { Model } from "../../../onnx/index.ts";
import type { Feeds, PassContext } from "../pass.ts";
import type { Candidate, StaticQuantiser } from "./static.ts";

export interface Sensitivity extends Candidate {
  /**
   * Square error of the outputs over their squares, mean over the inputs looked at (the ranking of
   * NNCF's accuracy control).
   */
  readonly error: number;
}

export interface SensitivityOptions {
  /** Calibration inputs to look at, from the first on. Default: 8. */
  readonly samples?: number;
  /** Asked before each node; after a no the scan ends with the nodes that it has got to. */
  readonly goOn?: () => boolean;
  /** Where the error of a node is kept from one scan to the next. Default: nowhere. */
  readonly remember?: (key: string, compute: () => Promise<number>) => Promise<number>;
}

const DEFAULT_SAMPLES = 8;

/** The candidates with their errors, least sensitive first. Throws UserError without inputs. */
export async function sensitivityScan(
  model: Model,
  quantiser: StaticQuantiser,
  context: PassContext,
  { samples = DEFAULT_SAMPLES, goOn, remember }: SensitivityOptions = {},
): Promise<readonly Sensitivity[]> {
  const feeds = await firstFeeds(context, samples);
  const expected = await outputsOn(model, feeds, context);
  const { candidates } = quantiser;
  const found: Sensitivity[] = [];
  const errorOf = async (candidate: Candidate): Promise<number> => {
    const others = candidates.filter((other) => other !== candidate).map(({ key }) => key);
    const actual = await outputsOn(quantiser.build(others).model, feeds, context);
    const errors = expected.map((outputs, at) => relativeError(outputs, actual[at] ?? {}));
    return errors.reduce((sum, of) => sum + of, 0) / errors.length;
  };
  for (const [done, candidate] of candidates.entries()) {
    context.signal?.throwIfAborted();
    if (goOn?.() === false) break;
    const compute = (): Promise<number> => errorOf(candidate);
    const error = await (remember?.(candidate.key, compute) ?? compute());
    found.push({ ...candidate, error });
    const total = candidates.length;
    context.onProgress?.({ pass: "sensitivity", step: candidate.name, done: done + 1, total });
  }
  return found.sort((a, b) => a.error - b.error);
}

/** The first calibration inputs. */
async function firstFeeds({ calibration }: PassContext, count: number): Promise<readonly Feeds[]> {
  const feeds: Feeds[] = [];
  if (calibration !== undefined) {
    for await (const of of calibration()) {
      feeds.push(of);
      if (feeds.length >= count) break;
    }
  }
  if (feeds.length > 0) return feeds;
  throw new UserError("invalid-input", "there are no inputs to compare outputs on", {
    hint: "Give calibration inputs: a handful is enough here.",
  });
}

/** What a model gives on each of some inputs. */
export async function outputsOn(
  model: Model,
  feeds: readonly Feeds[],
  { runtime }: PassContext,
): Promise<readonly Outputs[]> {
  const session = await createSession(model, { runtime });
  try {
    const outputs: Outputs[] = [];
    for (const of of feeds) outputs.push(await session.run(of));
    return outputs;
  } finally {
    await session.close();
  }
}

/** Square error over square of all floating-point outputs together; 0 where there is nothing to miss. */
export function relativeError(expected: Outputs, actual: Outputs): number {
  let [error, square] = [0, 0];
  for (const [name, { data }] of Object.entries(expected)) {
    const other = actual[name]?.data;
    if (!(data instanceof Float32Array) || !(other instanceof Float32Array)) continue;
    for (let at = 0; at < data.length; at++) {
      const value = data[at] ?? 0;
      error += (value - (other[at] ?? 0)) ** 2;
      square += value ** 2;
    }
  }
  return square === 0 ? 0 : error / square;
}
