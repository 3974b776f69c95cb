// What pruning each group alone does to the outputs, and the shares that follow for a budget of work.
//
// The table is measured, one group and share at a time; that losses and savings of several groups add up
// is an approximation (two neighbours save the product), so what is chosen must be verified.

import { createSession, type Outputs } from "../../../engine/index.ts";
import { countModel, numberOf } from "../../../measure/profile/index.ts";
import type { Model } from "../../../onnx/index.ts";
import { chooseWithin } from "../choose.ts";
import type { Feeds, PassContext } from "../pass.ts";
import { noCalibration } from "../statistics.ts";
import { type PruneOptions, prune, pruningGroups } from "./prune.ts";

/** One group pruned by one share. */
export interface SensitivityRow {
  readonly group: string;
  readonly ratio: number;
  /** |y - y'|^2 / |y|^2, the mean over calibration inputs and floating-point outputs. */
  readonly loss: number;
  /** Multiply-accumulates of the model with this group pruned; null where they cannot be counted. */
  readonly macs: number | null;
}

export interface SensitivityOptions extends Omit<PruneOptions, "ratio" | "scope"> {
  /** Default: 1/4, 1/2 and 3/4. */
  readonly ratios?: readonly number[];
}

/** Prunes each group alone and compares outputs on the calibration inputs. */
export async function pruningSensitivity(
  model: Model,
  context: PassContext,
  { ratios = [0.25, 0.5, 0.75], ...options }: SensitivityOptions = {},
): Promise<readonly SensitivityRow[]> {
  const { groups } = await pruningGroups(model, context);
  const asked = groups.filter(({ name }) => options.only?.includes(name) ?? true);
  const before = await outputsOf(model, context);
  const rows: SensitivityRow[] = [];
  for (const [done, { name }] of asked.entries()) {
    const step = `sensitivity of ${name}`;
    context.onProgress?.({ pass: "prune", step, done, total: asked.length });
    for (const ratio of ratios) {
      context.signal?.throwIfAborted();
      const only = [name];
      const { model: small, changes } = await prune.apply(model, context, {
        ...options,
        only,
        ratio,
      });
      if (changes.length === 0) continue;
      const after = await outputsOf(small, context);
      rows.push({
        group: name,
        ratio,
        loss: lossBetween(before, after),
        macs: macsOf(small, before),
      });
    }
  }
  return rows;
}

interface Ran {
  readonly feeds: Feeds;
  readonly outputs: Outputs;
}

async function outputsOf(model: Model, context: PassContext): Promise<readonly Ran[]> {
  if (context.calibration === undefined) throw noCalibration();
  const session = await createSession(model, { runtime: context.runtime });
  try {
    const ran: Ran[] = [];
    for await (const feeds of context.calibration()) {
      ran.push({ feeds, outputs: await session.run(feeds) });
    }
    return ran;
  } finally {
    await session.close();
  }
}

function lossBetween(before: readonly Ran[], after: readonly Ran[]): number {
  const losses: number[] = [];
  for (const [at, { outputs }] of before.entries()) {
    for (const [name, { data, dataType }] of Object.entries(outputs)) {
      if (!dataType.startsWith("float")) continue;
      const other = after[at]?.outputs[name]?.data as Float32Array | undefined;
      losses.push(relativeError(data as Float32Array, other ?? new Float32Array()));
    }
  }
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

function relativeError(values: Float32Array, others: Float32Array): number {
  let [difference, energy] = [0, 0];
  // By index: iterators take several times as long, and scores may be of thousands of classes.
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    difference += (value - (others[i] ?? Number.NaN)) ** 2;
    energy += value ** 2;
  }
  return difference / Math.max(energy, Number.MIN_VALUE);
}

function macsOf(model: Model, [first]: readonly Ran[]): number | null {
  const inputs = Object.entries(first?.feeds ?? {}).flatMap(([name, feed]) =>
    "dims" in feed ? [[name, feed.dims] as const] : [],
  );
  const { totals } = countModel(model, { inputs: Object.fromEntries(inputs) });
  return totals.macs === null ? null : numberOf(totals.macs);
}

/**
 * Shares by group for the least total loss with about `keep` of `macs`, the model's multiply-accumulates;
 * null where even the largest shares of the table keep more.
 */
export function ratiosWithin(
  rows: readonly SensitivityRow[],
  { macs, keep }: { readonly macs: number; readonly keep: number },
): Readonly<Record<string, number>> | null {
  const names = [...new Set(rows.map(({ group }) => group))];
  const options = names.map((name) => [
    { ratio: 0, saved: 0, loss: 0 },
    ...rows
      .filter(({ group }) => group === name)
      .map(({ ratio, loss, macs: left }) => ({ ratio, loss, saved: macs - (left ?? macs) })),
  ]);
  // Savings become costs above the largest saving of each group.
  const most = options.map((own) => Math.max(...own.map(({ saved }) => saved)));
  const budget = most.reduce((sum, saved) => sum + saved, 0) - (1 - keep) * macs;
  const picks = chooseWithin(
    budget,
    options.map((own, at) =>
      own.map(({ saved, loss }) => ({ cost: (most[at] ?? 0) - saved, loss })),
    ),
  );
  if (picks === null) return null;
  return Object.fromEntries(picks.map((pick, at) => [names[at], options[at]?.[pick]?.ratio ?? 0]));
}
