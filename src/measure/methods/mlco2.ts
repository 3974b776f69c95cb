// The Machine Learning Emissions Calculator (A. Lacoste, A. Luccioni, V. Schmidt & T. Dandres,
// "Quantifying the Carbon Emissions of Machine Learning", arXiv:1910.09700): hours x board power x
// intensity of the region, less what the provider offsets.

import { carbonIntensity } from "../../core/index.ts";
import type { Answer } from "./method.ts";
import {
  answered,
  intensityOf,
  type Method,
  missingTerm,
  nothingOf,
  powerTerm,
  resultOf,
  standInIntensity,
} from "./method.ts";
import type { PeerTables } from "./tables.ts";
import { machineTdp, unknownGpu, type Workload } from "./workload.ts";

export const mlco2: Method = {
  name: "mlco2",
  title: "ML CO2 Impact calculator",
  version: "2021-10",
  scope: "component",
  source: "Lacoste, Luccioni, Schmidt & Dandres 2019, arXiv:1910.09700; mlco2/impact",
  constants: {},
  defects: [
    "one device at its full rated power: no utilisation, no host, no memory, no PUE",
    "offsets bought by the provider are subtracted from the result",
  ],

  estimate(workload, tables) {
    const { gpus, cpu, hours } = workload;
    const intensity = regionIntensity(workload, tables);
    if (gpus.length > 0) {
      const terms = gpus.map((gpu) =>
        gpu.tdp === null
          ? missingTerm("gpu", unknownGpu(gpu))
          : powerTerm(
              "gpu",
              { watts: gpu.tdp * gpu.count, hours },
              {
                formula: `${gpu.count} x TDP ${gpu.tdp} W`,
                basis: `TDP ${gpu.tdp} W always`,
              },
            ),
      );
      return resultOf({ terms, intensity });
    }
    const tdp = cpu === null ? null : machineTdp(cpu);
    if (tdp === null) return nothingOf("it asks for one device of known rated power");
    const grounds = { formula: `TDP ${tdp} W`, basis: `TDP ${tdp} W always` };
    return resultOf({ terms: [powerTerm("cpu", { watts: tdp, hours }, grounds)], intensity });
  },
};

/** Its region table, of which CodeCarbon keeps the Google Cloud part. */
function regionIntensity(
  workload: Workload,
  { codeCarbon: { clouds } }: PeerTables,
): Answer<"gCO2e/kWh"> {
  const { cloud } = workload;
  const listed = cloud === null ? undefined : clouds.get(`${cloud.provider}/${cloud.region}`);
  if (listed === undefined) return standInIntensity(workload, "its table of cloud regions");
  const basis = `${listed} gCO2e/kWh, its table for ${cloud?.region}`;
  return intensityOf(workload, () => answered(carbonIntensity(listed), { formula: basis, basis }));
}
