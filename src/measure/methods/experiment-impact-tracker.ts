// experiment-impact-tracker (P. Henderson et al., "Towards the Systematic Reporting of the Energy and
// Carbon Footprints of Machine Learning", JMLR 21 (2020) 248): RAPL and nvidia-smi by the process's
// share, PUE 1.58. Without counters, its `get-rough-emissions-estimate`: TDP x utilisation, no PUE.

import { joules } from "../../core/index.ts";
import {
  energyTerm,
  type Method,
  type MethodResult,
  missingTerm,
  powerTerm,
  resultOf,
  round,
  standInIntensity,
} from "./method.ts";
import { type Counters, machineTdp, unknownGpu, type Workload } from "./workload.ts";

const CONSTANTS = {
  pue: { value: 1.58, unit: "1", source: "experiment_impact_tracker/emissions/constants.py" },
} as const;

export const experimentImpactTracker: Method = {
  name: "experiment-impact-tracker",
  title: "experiment-impact-tracker",
  version: "0.1.9",
  scope: "facility",
  source: "Henderson et al. 2020, JMLR 21(248); Breakend/experiment-impact-tracker",
  constants: CONSTANTS,
  defects: [
    "the rough estimate leaves out the PUE that the measured one applies",
    "with RAPL and without a GPU the released code fails on the truth value of a series",
  ],

  estimate(workload) {
    const { counters } = workload;
    return counters?.package === null || counters === null
      ? roughEstimate(workload)
      : measuredEstimate(workload, counters);
  },
};

function measuredEstimate(workload: Workload, counters: Counters): MethodResult {
  const { cpu, memoryGB, usedMemoryGB } = workload;
  const share = cpu?.share ?? 1;
  const memoryShare =
    memoryGB === null || usedMemoryGB === null ? share : Math.min(usedMemoryGB / memoryGB, 1);
  return resultOf({
    terms: [
      energyTerm("cpu", joules((counters.package ?? 0) * share), {
        formula: `RAPL packages x CPU time share ${round(share)}`,
        basis: "RAPL x CPU time share",
      }),
      counters.dram === null
        ? missingTerm("memory", "no RAPL DRAM energy was measured")
        : energyTerm("memory", joules(counters.dram * memoryShare), {
            formula: `RAPL DRAM x memory share ${round(memoryShare)}`,
            basis: "RAPL DRAM x memory share",
          }),
      ...(workload.gpus.length === 0
        ? []
        : [
            counters.gpu === null
              ? missingTerm("gpu", "no GPU energy was measured")
              : energyTerm("gpu", counters.gpu, {
                  formula: "nvidia-smi power x SM share",
                  basis: "nvidia-smi power",
                }),
          ]),
    ],
    factors: [
      { name: "PUE", value: CONSTANTS.pue.value, basis: "PUE 1.58 always", constants: ["pue"] },
    ],
    intensity: standInIntensity(workload, "Electricity Maps and its table"),
  });
}

function roughEstimate(workload: Workload): MethodResult {
  const { cpu, gpus, hours } = workload;
  const tdp = cpu === null ? null : machineTdp(cpu);
  const load = cpu === null ? 0 : cpu.usage * cpu.share;
  const cpuTerm =
    tdp === null
      ? missingTerm("cpu", "the CPU's TDP is not known (--tdp)")
      : powerTerm(
          "cpu",
          { watts: tdp * load, hours },
          {
            formula: `TDP ${tdp} W x utilisation ${round(load)}`,
            basis: `TDP ${tdp} W x utilisation`,
          },
        );
  return resultOf({
    terms: [
      ...(cpu === null ? [] : [cpuTerm]),
      ...gpus.map((gpu) =>
        gpu.tdp === null
          ? missingTerm("gpu", unknownGpu(gpu))
          : powerTerm(
              "gpu",
              { watts: gpu.tdp * gpu.count * (gpu.usage ?? 1), hours },
              {
                formula: `${gpu.count} x TDP ${gpu.tdp} W x utilisation ${round(gpu.usage ?? 1)}`,
                basis: `TDP ${gpu.tdp} W x utilisation ${round(gpu.usage ?? 1)}`,
              },
            ),
      ),
    ],
    intensity: standInIntensity(workload, "Electricity Maps and its table"),
  });
}
