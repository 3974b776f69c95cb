// Channels, heads and groups of convolutions taken out of a model, with everything that hangs on them.
// Method notes: docs/methods/pruning.md.

import { type Model, subGraphsOf } from "../../../onnx/index.ts";
import { matrixOf, nameOfNode } from "../layer.ts";
import type { Change, Pass, PassContext, PassResult, Refusal } from "../pass.ts";
import { collectMoments, type Moments, watchedLayer } from "../statistics.ts";
import { type Consumer, consumersOf } from "./consumers.ts";
import { followGraph } from "./followed-graph.ts";
import { groupsOf, type PruningGroup, type PruningGroups } from "./groups.ts";
import { type Importance, scoresFromWeights } from "./importance.ts";
import { prepareForPruning } from "./prepare.ts";
import { keptBy, removeSets } from "./remove.ts";
import { hasIntercept, withRefits } from "./repair.ts";
import { type Scope, selectUnits } from "./select.ts";
import { surgeonScores } from "./surgeon.ts";

export interface PruneOptions {
  /** Share of the units to remove, of every group or by group name. 0.5 leaves about a quarter of the work. */
  readonly ratio: number | Readonly<Record<string, number>>;
  /** Whom units are ranked against. Default: local, within their group. */
  readonly scope?: Scope;
  /** Default: weights, p = 2. */
  readonly importance?: Importance;
  /** Channels stay in multiples of this: 16 for AVX-512, 8 for AVX2, 1 for any. Default: 16. */
  readonly align?: number;
  /** Whether layers behind are refitted on the calibration inputs. Default: where there are any. */
  readonly repair?: boolean;
  /** Whether channels that a LayerNormalization averages over may go as well. Default: false. */
  readonly normalised?: boolean;
  /** Groups to look at, by name. Default: all. */
  readonly only?: readonly string[];
}

const name = "prune";

/** What pruning gave, and which channels of each value are left. */
export interface PruneResult extends PassResult {
  /** Indices that stay of an axis of a value; null where all do. */
  kept(value: string, axis: number): readonly number[] | null;
}

/** A pass that also tells what it kept. */
export interface PrunePass extends Pass<PruneOptions> {
  apply(model: Model, context: PassContext, options: PruneOptions): Promise<PruneResult>;
}

/** Removes the least important units of each group. Groups: `pruningGroups`. */
export const prune: PrunePass = {
  name,
  fidelity: "approximate",
  async apply(model, context, options) {
    if (model.graph === undefined) return { model, changes: [], refused: [], kept: () => null };
    const repair = options.repair ?? context.calibration !== undefined;
    const prepared = await prepareForPruning(model, context, { biases: repair });
    const followed = followGraph(prepared);
    const { groups: all, frozen } = groupsOf(followed);
    const refused: Refusal[] = frozen.map(({ tensor, axis, reason }) => ({
      pass: name,
      subject: tensor,
      reason: `axis ${axis} stays whole: ${reason}`,
    }));
    for (const node of followed.graph.nodes.filter((of) => subGraphsOf(of).length > 0)) {
      refused.push({ pass: name, subject: nameOfNode(node), reason: "sub-graphs are left alone" });
    }
    const groups = all.filter((group) => {
      const asked = options.only?.includes(group.name) ?? true;
      if (asked && group.normalised && options.normalised !== true) {
        const reason =
          "a normalisation averages over it: removing channels would change the others";
        refused.push({ pass: name, subject: group.name, reason });
        return false;
      }
      return asked;
    });
    const consumers = consumersOf(followed.graph, groups);
    const moments = await momentsFor(prepared, consumers, { context, options, repair });
    const importance = options.importance ?? { by: "weight" };
    const scores = groups.map((group, at) =>
      scoresOf(group, consumers[at] ?? [], { importance, moments }),
    );
    const { ratio, scope = "local", align = 16 } = options;
    const units = selectUnits(groups, scores, { ratio, scope, align });
    const removed = new Set(
      groups.flatMap(({ sets }, at) => (units[at] ?? []).map((unit) => sets[unit] ?? -1)),
    );
    if (removed.size === 0) return { model, changes: [], refused, kept: () => null };
    const kept = keptBy(followed, removed);
    const fitted = repair ? withRefits(prepared, { consumers, units, moments }) : prepared;
    const changes = groups.flatMap((group, at): readonly Change[] => {
      const gone = units[at]?.length ?? 0;
      if (gone === 0) return [];
      const what = `${group.size - gone} of ${group.size} units stay, in ${group.members.length} tensors`;
      return [{ pass: name, subject: group.name, what }];
    });
    const small = removeSets(fitted, { ...followed, graph: graphOf(fitted) }, removed);
    return { model: small, changes, refused, kept: (value, axis) => kept([value, axis]) };
  },
};

const graphOf = (model: Model) => {
  if (model.graph === undefined) throw new RangeError("a model without a graph");
  return model.graph;
};

/** The groups of a model's channels, and the axes that stay whole, with the reason. */
export async function pruningGroups(model: Model, context: PassContext): Promise<PruningGroups> {
  return groupsOf(followGraph(await prepareForPruning(model, context, { biases: false })));
}

async function momentsFor(
  model: Model,
  consumers: readonly (readonly Consumer[])[],
  of: { readonly context: PassContext; readonly options: PruneOptions; readonly repair: boolean },
): Promise<ReadonlyMap<string, Moments>> {
  const by = of.options.importance?.by;
  if (!of.repair && by !== "reconstruction" && by !== "hessian") return new Map();
  const watched = new Map(
    consumers.flat().map((consumer) => [consumer.layer.name, watchedLayer(consumer.layer)]),
  );
  return collectMoments(model, [...watched.values()], of.context);
}

function scoresOf(
  group: PruningGroup,
  consumers: readonly Consumer[],
  of: { readonly importance: Importance; readonly moments: ReadonlyMap<string, Moments> },
): Float64Array {
  const { importance, moments } = of;
  if (importance.by !== "reconstruction" && importance.by !== "hessian") {
    return scoresFromWeights(group, importance);
  }
  const patients = consumers.flatMap(({ layer, rows }) => {
    const known = moments.get(layer.name);
    if (known === undefined) return [];
    return [{ weights: matrixOf(layer), moments: known, intercept: hasIntercept(layer), rows }];
  });
  // Groups that only feed what is not followed this far are judged by their weights.
  if (patients.length === 0) return scoresFromWeights(group, { by: "weight" });
  if (importance.by === "reconstruction") return surgeonScores(patients, group.size);
  const scores = new Float64Array(group.size);
  for (const { weights, moments: known, rows } of patients) {
    for (const [unit, own] of rows.entries()) {
      for (const row of own) {
        const square = (known.gram.data[row * known.gram.columns + row] ?? 0) / known.count;
        const line = weights.data.subarray(row * weights.columns, (row + 1) * weights.columns);
        scores[unit] = (scores[unit] ?? 0) + square * line.reduce((sum, w) => sum + w * w, 0);
      }
    }
  }
  return scores;
}
