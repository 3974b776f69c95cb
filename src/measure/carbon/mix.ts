// From what a grid generated to the carbon intensity of its mix:
//   CI = sum(E_i x f_i) / sum(E_i)
// (Maji et al., CarbonCast, BuildSys 2022, equation 1). Factors: data/generation-factors. Imports are
// not in the mix of generation, so they are not in the result.

import { type Figure, figure, type Host, parseCsvTable, UserError, Z90 } from "../../core/index.ts";
import type { Scope } from "./intensity.ts";

/** Generation by source, in one unit of energy (MWh) or of mean power (MW). */
export type GenerationMix = Readonly<Record<string, number>>;

interface SourceFactor {
  /** gCO2e/kWh. */
  readonly value: number;
  /** Published extremes; null where none are published. */
  readonly range: { readonly low: number; readonly high: number } | null;
}

/** Emission factors of one publication and one scope. */
export interface FactorSet {
  readonly scope: Exclude<Scope, "unknown">;
  readonly source: string;
  readonly factors: ReadonlyMap<string, SourceFactor>;
}

export type FactorSetName = "carboncast" | "ipcc-2014";

const CITATION: Record<FactorSetName, string> = {
  carboncast: "CarbonCast factors (BuildSys 2022, Table 1)",
  "ipcc-2014": "IPCC AR5 WG3 Annex III medians (2014)",
};

/**
 * Relative standard deviation of a source's factor where its publication states no extremes: the
 * IPCC's extremes of coal and gas lie within about 20 % of their medians.
 */
const FACTOR_ERROR = 0.12;

/** One set of the shipped table. */
export async function loadFactors(
  host: Host,
  set: FactorSetName,
  scope: FactorSet["scope"],
): Promise<FactorSet> {
  const rows = parseCsvTable(await host.readData("generation-factors/factors.csv"));
  const factors = new Map(
    rows
      .filter((row) => row["set"] === set && row["scope"] === scope)
      .map((row) => [
        row["source"] ?? "",
        {
          value: Number(row["gco2e_per_kwh"]),
          range: row["low"] ? { low: Number(row["low"]), high: Number(row["high"]) } : null,
        },
      ]),
  );
  return { scope, source: `${CITATION[set]}, ${scope}`, factors };
}

/** Carbon intensity of a mix in gCO2e/kWh. Throws UserError for what is no mix. */
export function mixIntensity(mix: GenerationMix, set: FactorSet): number {
  return weightedMean(mix, (source) => factorOf(set, source).value);
}

/**
 * The same as a figure. Its interval takes the factors as wrong together, all low or all high, for
 * the plants of one grid are not drawn independently.
 */
export function mixFigure(mix: GenerationMix, set: FactorSet): Figure<"gCO2e/kWh"> {
  const spread = Math.exp(Z90 * FACTOR_ERROR);
  const low = weightedMean(mix, (source) => {
    const { value, range } = factorOf(set, source);
    return range?.low ?? value / spread;
  });
  const high = weightedMean(mix, (source) => {
    const { value, range } = factorOf(set, source);
    return range?.high ?? value * spread;
  });
  const source = `generation mix x ${set.source}`;
  return figure(
    "gCO2e/kWh",
    mixIntensity(mix, set),
    { low, high },
    { method: "estimated", source },
  );
}

function weightedMean(mix: GenerationMix, factor: (source: string) => number): number {
  let [energy, emissions] = [0, 0];
  for (const [source, generated] of Object.entries(mix)) {
    if (!Number.isFinite(generated) || generated < 0) {
      throw new UserError("invalid-input", `a generation of ${generated} from ${source} is none`, {
        hint: "Give what was generated, 0 or more; leave out what storage took up.",
      });
    }
    energy += generated;
    emissions += generated * factor(source);
  }
  if (energy === 0) {
    throw new UserError("invalid-input", "a mix without any generation has no carbon intensity", {
      hint: "This hour has no data; use the mean of the grid instead.",
    });
  }
  return emissions / energy;
}

function factorOf({ factors, source: citation }: FactorSet, source: string): SourceFactor {
  const factor = factors.get(source);
  if (factor !== undefined) return factor;
  throw new UserError("invalid-input", `no emission factor for "${source}" in ${citation}`, {
    hint: `Known sources: ${[...factors.keys()].join(", ")}.`,
  });
}
