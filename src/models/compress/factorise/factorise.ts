// Layers as chains of smaller ones: fewer parameters and multiply-accumulates for an error that the
// singular values tell beforehand. Method notes: docs/methods/factorisation.md.

import { createProducts, type Products } from "../../../engine/index.ts";
import { indexGraph, type Model, type Node, subGraphsOf } from "../../../onnx/index.ts";
import { type Layer, layersOf, nameOfNode } from "../layer.ts";
import type { Change, Feeds, Pass, PassContext, PassResult, Refusal } from "../pass.ts";
import { collectMoments, type Moments, watchedLayer } from "../statistics.ts";
import { withStoredWeights } from "../stored-weights.ts";
import { CpDiverged } from "./cp.ts";
import type { Chain, Method, MethodName, Prepared } from "./method.ts";
import { cpMethod, spatialMethod, svdMethod, tuckerMethod } from "./methods.ts";
import { positionsOf } from "./positions.ts";
import { type Costed, chooseRanks, type RankRule } from "./ranks.ts";
import { withChains } from "./splice.ts";

export interface FactoriseOptions {
  readonly rank: RankRule;
  /** How convolutions with a window are split. Default: tucker2. Everything else takes the SVD. */
  readonly method?: MethodName;
  /** Ranks are multiples of this: 16 for AVX-512, 8 for AVX2, 1 for any. Default: 16. */
  readonly align?: number;
  /** Weigh SVDs by the calibration inputs. Default: where the context has any. */
  readonly whiten?: boolean;
  /** Layers to look at, by node name. Default: all. */
  readonly only?: readonly string[];
  /** Measured cost of layers by node name, for a budget. Default: multiply-accumulates. */
  readonly cost?: Readonly<Record<string, number>>;
}

const METHODS: Readonly<Record<MethodName, Method>> = {
  svd: svdMethod,
  tucker2: tuckerMethod,
  cp: cpMethod,
  spatial: spatialMethod,
};

const name = "factorise";

/** Replaces layers by low-rank chains where that leaves less than 80 % of parameters and work. */
export const factorise: Pass<FactoriseOptions> = {
  name,
  fidelity: "approximate",
  async apply(given, context, options) {
    const model = await withStoredWeights(given, context);
    const { graph } = model;
    if (graph === undefined) return { model, changes: [], refused: [] };
    const { layers, others } = layersOf(indexGraph(graph));
    const inner = graph.nodes.filter((node) => subGraphsOf(node).length > 0);
    const asked = (of: { readonly name: string }): boolean =>
      options.only?.includes(of.name) ?? true;
    const refused: Refusal[] = others
      .filter(asked)
      .map((other) => ({ pass: name, subject: other.name, reason: other.reason }));
    for (const node of inner) {
      refused.push({ pass: name, subject: nameOfNode(node), reason: "sub-graphs are left alone" });
    }
    const chosen = layers.filter(asked).flatMap((layer) => {
      const method = methodFor(layer, options.method ?? "tucker2");
      const reason = method.refuse(layer) ?? tooNarrow(layer, options.align ?? 16);
      if (reason === null) return [{ layer, method }];
      refused.push({ pass: name, subject: layer.name, reason });
      return [];
    });
    const products = await createProducts({ runtime: context.runtime });
    try {
      const costed = await prepareAll(model, chosen, { context, options, products });
      const result = await cutAll(model, costed, { context, options, refused });
      return result.changes.length === 0 ? { ...result, model: given } : result;
    } finally {
      await products.close();
    }
  },
};

/** Tucker-2 and its like are for windows; a matrix or a window of one position takes the SVD. */
function methodFor(layer: Layer, wanted: MethodName): Method {
  const pointwise = layer.window.every((size) => size === 1);
  return pointwise ? METHODS.svd : METHODS[wanted];
}

function tooNarrow({ inputs, outputs, window }: Layer, align: number): string | null {
  const narrowest = Math.min(outputs, inputs);
  const rows = window.reduce((product, size) => product * size, inputs);
  if (Math.min(rows, outputs) <= align || narrowest < Math.min(align, 8)) {
    return `it has ${inputs} inputs and ${outputs} outputs; ranks are multiples of ${align}`;
  }
  return null;
}

interface Work {
  readonly context: PassContext;
  readonly options: FactoriseOptions;
}

async function prepareAll(
  model: Model,
  chosen: readonly { readonly layer: Layer; readonly method: Method }[],
  { context, options, products }: Work & { readonly products: Products },
): Promise<readonly Costed[]> {
  const sample = await firstOf(context);
  const layers = chosen.map(({ layer }) => layer);
  const positions = positionsOf(model, layers, sample);
  const moments = await momentsFor(model, chosen, { context, options });
  const costed: Costed[] = [];
  for (const { layer, method } of chosen) {
    context.signal?.throwIfAborted();
    context.onProgress?.({
      pass: name,
      step: `decompose ${layer.name}`,
      done: costed.length,
      total: chosen.length,
    });
    const prepared = await method.prepare(layer, {
      products,
      seed: context.seed,
      moments: moments.get(layer.name),
      leading: leadingNeeded(layer, options),
    });
    const at = positions.get(layer.name) ?? { read: 1, written: 1 };
    const parameters = parametersOf(layer);
    const macs = parameters * at.written;
    costed.push({
      prepared,
      positions: at,
      parameters,
      macs,
      cost: options.cost?.[layer.name] ?? macs,
    });
  }
  return costed;
}

/** The share of a layer's ranks that a rule names; undefined where it names none. */
function shareOf({ name: own }: Layer, rank: RankRule): number | undefined {
  if (rank.rule === "share") return rank.share;
  return rank.rule === "shares" ? rank.shares[own] : undefined;
}

/** Rules that name the rank need no more singular values than that. */
function leadingNeeded(layer: Layer, { rank, align = 16 }: FactoriseOptions): number | undefined {
  if (rank.rule === "fixed") return rank.ranks[layer.name]?.[0];
  const share = shareOf(layer, rank);
  return share === undefined ? undefined : Math.ceil((share * layer.outputs) / align) * align;
}

const parametersOf = ({ inputs, outputs, window }: Layer): number =>
  window.reduce((product, size) => product * size, inputs * outputs);

async function firstOf({ calibration }: PassContext): Promise<Feeds | null> {
  if (calibration === undefined) return null;
  for await (const feeds of calibration()) return feeds;
  return null;
}

async function momentsFor(
  model: Model,
  chosen: readonly { readonly layer: Layer; readonly method: Method }[],
  { context, options }: Work,
): Promise<ReadonlyMap<string, Moments>> {
  const whiten = options.whiten ?? context.calibration !== undefined;
  if (!whiten) return new Map();
  const watched = chosen
    .filter(({ method }) => method.name === "svd")
    .map(({ layer }) => watchedLayer(layer));
  return watched.length === 0 ? new Map() : collectMoments(model, watched, context);
}

async function cutAll(
  model: Model,
  costed: readonly Costed[],
  { context, options, refused }: Work & { readonly refused: Refusal[] },
): Promise<PassResult> {
  const choices = chooseRanks(costed, options.rank, options.align ?? 16);
  const chains = new Map<Node, Chain>();
  const changes: Change[] = [];
  for (const [at, { prepared, parameters }] of costed.entries()) {
    context.signal?.throwIfAborted();
    const { layer } = prepared;
    const ranks = choices[at] ?? "";
    if (typeof ranks === "string") {
      refused.push({ pass: name, subject: layer.name, reason: ranks });
      continue;
    }
    const chain = await cutOrNull(prepared, ranks);
    if (chain === null) {
      refused.push({ pass: name, subject: layer.name, reason: "the CP factors diverged" });
      continue;
    }
    chains.set(layer.node, chain);
    changes.push({
      pass: name,
      subject: layer.name,
      what: describe(prepared, ranks, { chain, parameters }),
    });
  }
  return { model: chains.size === 0 ? model : withChains(model, chains), changes, refused };
}

async function cutOrNull(prepared: Prepared, ranks: readonly number[]): Promise<Chain | null> {
  try {
    return await prepared.cut(ranks);
  } catch (error) {
    if (error instanceof CpDiverged) return null;
    throw error;
  }
}

function describe(
  prepared: Prepared,
  ranks: readonly number[],
  { chain, parameters }: { readonly chain: Chain; readonly parameters: number },
): string {
  const kept = Math.round((100 * prepared.parameters(ranks)) / parameters);
  const on = prepared.whitened ? "of its outputs on the calibration inputs" : "of its weights";
  const error = chain.error.toPrecision(3);
  return `${prepared.method} at rank ${ranks.join(" x ")}: ${kept} % of its parameters, relative error ${error} ${on}`;
}
