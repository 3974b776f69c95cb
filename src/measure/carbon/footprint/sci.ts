// Software Carbon Intensity: a rate, not a total.
//   SCI = (E x I + M) per R
// (ISO/IEC 21031:2024). Energy includes the facility's (PUE is inside E); intensity is location-based:
// certificates and offsets do not lower it, which the type says. And SCI for AI (Green Software
// Foundation, draft of 2025): two scores, of those who use a model and of those who provide it.

import { type Figure, product, scaled, sum, UserError } from "../../../core/index.ts";
import type { Intensity, Kind, Scope } from "../intensity.ts";

/** What one unit is: a request, a user-hour, a token. */
export interface FunctionalUnit {
  readonly name: string;
  /** How many of them the energy and the hardware served. */
  readonly count: number;
}

export interface SciInputs<K extends Kind, S extends Scope> {
  /** Of the facility, PUE included. */
  readonly energy: Figure<"J">;
  readonly intensity: Intensity<K, "location", S>;
  readonly embodied: Figure<"gCO2e">;
  readonly per: FunctionalUnit;
}

export interface Sci {
  /** For one functional unit. */
  readonly score: Figure<"gCO2e">;
  readonly functionalUnit: string;
  /** For all of them. */
  readonly operational: Figure<"gCO2e">;
  readonly embodied: Figure<"gCO2e">;
}

/** The rate of emissions per functional unit. Throws UserError for no units and for market-based ones. */
export function sci<K extends Kind, S extends Scope>(inputs: SciInputs<K, S>): Sci {
  const { energy, intensity, embodied, per } = inputs;
  if (intensity.basis !== "location") {
    throw new UserError("invalid-input", "SCI takes no market-based carbon intensity", {
      hint: "Give the location-based one (ISO/IEC 21031, 5.3.3).",
    });
  }
  const operational = product("gCO2e", [energy, intensity.figure], {
    source: "E x I",
    scale: 1 / 3.6e6,
  });
  return scoreOf(operational, embodied, per);
}

function scoreOf(
  operational: Figure<"gCO2e">,
  embodied: Figure<"gCO2e">,
  { name, count }: FunctionalUnit,
): Sci {
  if (!(count > 0 && Number.isFinite(count))) {
    throw new UserError("invalid-input", `SCI per ${count} of "${name}" is no rate`, {
      hint: "Give how many functional units were served, more than 0.",
    });
  }
  const both = sum("gCO2e", [operational, embodied], { source: "E x I + M" });
  const source = `SCI = (E x I + M) per ${name}, ISO/IEC 21031`;
  return {
    score: scaled(both, 1 / count, source),
    functionalUnit: name,
    operational,
    embodied,
  };
}

/** Stages of an AI system's life (SCI for AI, section 5); preparation is in neither score. */
export type AiStage = "data-engineering" | "training" | "integration" | "runtime" | "end-of-life";

export type AiBoundary = "consumer" | "provider";

/** Whose score a stage belongs to (SCI for AI, section 6). */
export const AI_BOUNDARY: Readonly<Record<AiStage, AiBoundary>> = {
  "data-engineering": "provider",
  training: "provider",
  integration: "provider",
  runtime: "consumer",
  "end-of-life": "provider",
};

/** Functional units that the specification names (section 8). */
export const AI_UNITS: Readonly<Record<AiBoundary, readonly string[]>> = {
  consumer: ["token", "second", "image", "execution", "page", "inference"],
  provider: ["billion parameters", "training token", "FLOP"],
};

export interface AiPart {
  readonly stage: AiStage;
  readonly operational: Figure<"gCO2e">;
  readonly embodied: Figure<"gCO2e">;
}

/**
 * The score of one boundary. Throws UserError for parts of the other boundary, for none, and for a unit
 * that the specification does not name: scores in other units cannot be compared.
 */
export function sciForAi(boundary: AiBoundary, parts: readonly AiPart[], per: FunctionalUnit): Sci {
  const stray = parts.find(({ stage }) => AI_BOUNDARY[stage] !== boundary);
  if (stray !== undefined || parts.length === 0) {
    const what = stray === undefined ? "no stage" : stray.stage;
    throw new UserError("invalid-input", `${what} is not in the ${boundary}'s boundary`, {
      hint: "Consumers count runtime; providers data engineering, training, integration and end of life.",
    });
  }
  if (!AI_UNITS[boundary].includes(per.name)) {
    throw new UserError("invalid-input", `"${per.name}" is no functional unit of the ${boundary}`, {
      hint: `SCI for AI names these: ${AI_UNITS[boundary].join(", ")}.`,
    });
  }
  const total = (pick: (part: AiPart) => Figure<"gCO2e">, source: string) =>
    sum("gCO2e", parts.map(pick), { source: `${source} of ${parts.length} stages` });
  return scoreOf(
    total(({ operational }) => operational, "operational emissions"),
    total(({ embodied }) => embodied, "embodied emissions"),
    per,
  );
}
