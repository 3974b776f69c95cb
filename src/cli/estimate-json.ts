// The JSON of `godwit estimate`: units in the names, what is not answered with its reason.

import type { AnyFigure } from "../core/index.ts";
import type {
  Answer,
  Comparison,
  MethodResult,
  OwnEstimate,
  Workload,
} from "../measure/methods/index.ts";

export interface EstimateJson {
  readonly workload: Workload;
  readonly own: MethodResult;
  readonly figures: OwnEstimate["figures"] | null;
  readonly notes: readonly string[];
  readonly rows: readonly Comparison[];
}

/** `godwit.estimate/1`, with a line break at its end. */
export function estimateJson({ workload, own, figures, notes, rows }: EstimateJson): string {
  const answer = {
    schema: "godwit.estimate/1",
    workload,
    godwit: {
      ...resultJson(own),
      ...(figures === null
        ? {}
        : { energy: figureJson(figures.energy), emissions: figureJson(figures.emissions) }),
      notes,
    },
    methods: rows.map(({ method, result, energyRatio, emissionsRatio, differences }) => ({
      name: method.name,
      version: method.version,
      scope: method.scope,
      ...resultJson(result),
      energy_ratio: energyRatio,
      emissions_ratio: emissionsRatio,
      differences: differences.map(({ subject, effect, unit, text }) => ({
        subject,
        [unit === "J" ? "effect_j" : "effect_gco2e"]: effect,
        text,
      })),
    })),
  };
  return `${JSON.stringify(answer, null, 2)}\n`;
}

const figureJson = ({ value, low, high, unit, method, source }: AnyFigure) => ({
  value,
  low,
  high,
  unit,
  method,
  source,
});

function resultJson({
  terms,
  factors,
  energy,
  intensity,
  emissions,
  embodied,
  missing,
}: MethodResult) {
  return {
    energy_j: numberOf(energy),
    emissions_gco2e: numberOf(emissions),
    intensity_gco2e_per_kwh: numberOf(intensity),
    ...(embodied === undefined ? {} : { embodied_gco2e: numberOf(embodied) }),
    ...(energy.status === "unsupported" ? { unsupported: energy.reason } : {}),
    missing,
    terms: terms.map(({ name, energy: own }) => ({
      name,
      ...(own.status === "answered"
        ? { energy_j: own.value, formula: own.formula, constants: own.constants }
        : { unsupported: own.reason }),
    })),
    factors,
  };
}

const numberOf = (answer: Answer<"J"> | Answer<"gCO2e"> | Answer<"gCO2e/kWh">) =>
  answer.status === "answered" ? answer.value : null;
