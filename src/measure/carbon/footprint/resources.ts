// What a computation takes from the earth beside carbon and water: primary energy, and abiotic
// depletion of elements (ADPe, antimony equivalents, CML 2002). Electricity's ADPe is left out: it varies
// tenfold between databases, none of which may be redistributed here, and a made-up one would be worse.

import { type Figure, figure, product, UserError, withError } from "../../../core/index.ts";

/**
 * Primary energy of a unit of electricity: 1.9, the default coefficient of Directive (EU) 2023/1791,
 * article 31 and annex; from 1 (all wind and water) to 3 (all thermal).
 */
export const PRIMARY_ENERGY_FACTOR: Figure<"1"> = figure(
  "1",
  1.9,
  { low: 1, high: 3 },
  {
    method: "declared",
    source: "Directive (EU) 2023/1791: primary energy factor of electricity",
  },
);

/** Primary energy of facility electricity. */
export const primaryEnergy = (
  facility: Figure<"J">,
  factor: Figure<"1"> = PRIMARY_ENERGY_FACTOR,
): Figure<"J"> =>
  product("J", [facility, factor], { source: "facility energy x primary energy factor" });

/**
 * Making a GPU server without its GPUs, and a GPU of 80 GB: EcoLogits 0.9 (documentation, "LLM
 * inference"), from BoaviztAPI's bottom-up assessment of an AWS p5.48xlarge.
 */
const MADE = {
  server: { adpeG: 370, primaryMj: 70_000 },
  gpu: { adpeG: 5.1, primaryMj: 1828 },
} as const;

const ERROR = 0.4;

/** What making GPU hardware depletes; a share of it follows as with embodied emissions. */
export function gpuServerResources(gpus: number): {
  readonly adpe: Figure<"gSbe">;
  readonly primary: Figure<"J">;
} {
  if (!(Number.isInteger(gpus) && gpus >= 0)) {
    throw new UserError("invalid-input", `a server with ${gpus} GPUs is none`, {
      hint: "Give a whole number of GPUs, 0 or more.",
    });
  }
  const origin = {
    method: "estimated",
    source: "EcoLogits 0.9: server 370 gSbe and 70,000 MJ, GPU 5.1 gSbe and 1,828 MJ",
  } as const;
  const adpe = MADE.server.adpeG + gpus * MADE.gpu.adpeG;
  const primary = (MADE.server.primaryMj + gpus * MADE.gpu.primaryMj) * 1e6;
  return {
    adpe: withError("gSbe", adpe, ERROR, origin),
    primary: withError("J", primary, ERROR, origin),
  };
}
