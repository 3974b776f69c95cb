// From a rule to the ranks of each layer.

import { chooseWithin } from "../choose.ts";
import { evbmf } from "./evbmf.ts";
import type { Positions, Prepared } from "./method.ts";
import { alignedRank, MOST_KEPT, rankByEnergy, tailOf } from "./rank.ts";

/** How ranks are chosen. */
export type RankRule =
  /** Least ranks that keep this share of the squared singular values. */
  | { readonly rule: "energy"; readonly share: number }
  /** What stands out of the noise by empirical variational Bayes; a first guess, no promise. */
  | { readonly rule: "evbmf" }
  /** A share of each layer's full ranks, such as 1/4. */
  | { readonly rule: "share"; readonly share: number }
  /** A share of the full ranks by layer's name; layers that are not named stay whole. */
  | { readonly rule: "shares"; readonly shares: Readonly<Record<string, number>> }
  /** Least total error for this share of the cost of all layers looked at. */
  | { readonly rule: "budget"; readonly keep: number }
  /** Given ranks by the node's name, as the method orders them. */
  | { readonly rule: "fixed"; readonly ranks: Readonly<Record<string, readonly number[]>> };

/** A prepared layer with what it costs now. */
export interface Costed {
  readonly prepared: Prepared;
  readonly positions: Positions;
  /** Parameters and multiply-accumulates of the layer as it is. */
  readonly parameters: number;
  readonly macs: number;
  /** Cost of the layer as it is, in any unit: measured, or its multiply-accumulates. */
  readonly cost: number;
}

/** Ranks by layer; a text says why a layer stays whole. */
export function chooseRanks(
  layers: readonly Costed[],
  rule: RankRule,
  align: number,
): readonly (readonly number[] | string)[] {
  if (rule.rule === "budget") return withinBudget(layers, rule.keep, align);
  return layers.map((layer) => {
    const wanted = wantedRanks(layer.prepared, rule);
    if (typeof wanted === "string") return wanted;
    const ranks =
      rule.rule === "fixed"
        ? wanted
        : wanted.map((rank, at) => alignedRank(rank, align, layer.prepared.most[at] ?? rank));
    return whyNotWorth(layer, ranks) ?? ranks;
  });
}

function wantedRanks(
  { layer, spectra, most, method }: Prepared,
  rule: Exclude<RankRule, { rule: "budget" }>,
): readonly number[] | string {
  switch (rule.rule) {
    case "share":
      return most.map((rank, at) => rule.share * fullRank(layer.outputs, layer.inputs, at, rank));
    case "shares": {
      const share = rule.shares[layer.name];
      if (share === undefined) return "no share is given for it";
      return most.map((rank, at) => share * fullRank(layer.outputs, layer.inputs, at, rank));
    }
    case "fixed": {
      const ranks = rule.ranks[layer.name];
      if (ranks === undefined) return "no ranks are given for it";
      const fits =
        ranks.length === most.length &&
        ranks.every((rank, at) => Number.isInteger(rank) && rank >= 1 && rank <= (most[at] ?? 0));
      return fits ? ranks : `ranks [${ranks.join(", ")}] where at most [${most.join(", ")}] fit`;
    }
    case "energy":
      if (spectra.length === 0) return `${method} has no singular values to choose a rank from`;
      return spectra.map(({ values }) => rankByEnergy(values, rule.share));
    case "evbmf":
      if (spectra.length === 0) return `${method} has no singular values to choose a rank from`;
      return spectra.map(({ values, rows, columns }) =>
        Math.max(1, evbmf(values, rows, columns).rank),
      );
    default:
      return rule satisfies never;
  }
}

/** A share means one of the channels, also where the matrix that is cut has more rows. */
const fullRank = (outputs: number, inputs: number, at: number, most: number): number =>
  Math.min(most, at === 0 ? outputs : inputs);

/** Why a cut is not worth its extra nodes; null when it is. */
function whyNotWorth(
  { prepared, positions, parameters, macs }: Costed,
  ranks: readonly number[],
): string | null {
  const stored = prepared.parameters(ranks) / parameters;
  const work = prepared.macs(ranks, positions) / macs;
  const kept = Math.max(stored, work);
  if (kept < MOST_KEPT) return null;
  const what = stored >= work ? "parameters" : "multiply-accumulates";
  return `ranks [${ranks.join(", ")}] keep ${Math.round(100 * kept)} % of its ${what}; from ${100 * MOST_KEPT} % on it stays whole`;
}

/** Grid of candidates: the same share of every rank of the layer, aligned. */
const SHARES = Array.from({ length: 32 }, (_, i) => (i + 1) / 32);

function withinBudget(
  layers: readonly Costed[],
  keep: number,
  align: number,
): readonly (readonly number[] | string)[] {
  const candidates = layers.map((layer) => candidatesOf(layer, align));
  const budget = keep * layers.reduce((sum, { cost }) => sum + cost, 0);
  const picks = chooseWithin(
    budget,
    candidates.map((options) => options.map(({ cost, loss }) => ({ cost, loss }))),
  );
  if (picks === null) {
    return layers.map(
      () => `not even the least ranks bring all layers to ${100 * keep} % of their cost`,
    );
  }
  return picks.map((pick, at) => candidates[at]?.[pick]?.ranks ?? "the budget leaves it whole");
}

interface Candidate {
  /** Null: the layer as it is. */
  readonly ranks: readonly number[] | null;
  readonly cost: number;
  /** Squared relative error. */
  readonly loss: number;
}

function candidatesOf(layer: Costed, align: number): readonly Candidate[] {
  const { prepared, positions, macs, cost } = layer;
  const whole: Candidate = { ranks: null, cost, loss: 0 };
  if (prepared.spectra.length === 0) return [whole];
  const seen = new Set<string>();
  const cuts = SHARES.flatMap((share): readonly Candidate[] => {
    const ranks = prepared.most.map((most) => alignedRank(share * most, align, most));
    if (seen.has(ranks.join()) || whyNotWorth(layer, ranks) !== null) return [];
    seen.add(ranks.join());
    return [
      {
        ranks,
        cost: (cost * prepared.macs(ranks, positions)) / macs,
        loss: lossOf(prepared, ranks),
      },
    ];
  });
  return [whole, ...cuts];
}

/** Squared relative error; for several ranks its upper bound (De Lathauwer et al. 2000, property 10). */
const lossOf = ({ spectra }: Prepared, ranks: readonly number[]): number =>
  spectra.reduce((sum, { values }, at) => {
    const total = tailOf(values, 0);
    return sum + (total === 0 ? 0 : tailOf(values, ranks[at] ?? 0) / total);
  }, 0);
