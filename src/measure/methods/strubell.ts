// E. Strubell, A. Ganesh & A. McCallum, "Energy and Policy Considerations for Deep Learning in NLP", ACL
// 2019: p = 1.58 t (p_cpu + p_ram + g p_gpu) / 1000 and 0.954 lb CO2e per kWh, the US mean of 2018.

import { carbonIntensity } from "../../core/index.ts";
import {
  answered,
  energyTerm,
  type Method,
  missingTerm,
  powerTerm,
  resultOf,
  round,
  type Term,
} from "./method.ts";
import { machineTdp, unknownGpu, type Workload } from "./workload.ts";

/** Exact: the international pound. */
const GRAMS_PER_POUND = 453.59237;

const PAPER = "Strubell, Ganesh & McCallum 2019, section 2 (arXiv:1906.02243)";

const CONSTANTS = {
  pue: { value: 1.58, unit: "1", source: `${PAPER}, Ascierto 2018` },
  pounds: { value: 0.954, unit: "lb/kWh", source: `${PAPER}, EPA 2018` },
} as const;

export const strubell: Method = {
  name: "strubell",
  title: "Strubell et al. 2019",
  version: "ACL 2019",
  scope: "facility",
  source: PAPER,
  constants: CONSTANTS,
  defects: [
    "the US mean of 2018 is applied everywhere",
    "its figure for neural architecture search was 18.7 times too high (Patterson et al. 2021, arXiv:2104.10350)",
  ],

  estimate(workload) {
    return resultOf({
      terms: [...cpuTerms(workload), ...memoryTerms(workload), ...gpuTerms(workload)],
      factors: [
        { name: "PUE", value: CONSTANTS.pue.value, basis: "PUE 1.58 always", constants: ["pue"] },
      ],
      intensity: answered(carbonIntensity(CONSTANTS.pounds.value * GRAMS_PER_POUND), {
        formula: "0.954 lb/kWh x 453.59 g/lb",
        basis: "0.954 lb/kWh (433 g), the US mean of 2018",
        constants: ["pounds"],
      }),
    });
  },
};

const RATED = "the paper measures, rated power x usage stands in";

function cpuTerms({ cpu, hours, counters }: Workload): readonly Term[] {
  const measured = counters?.package ?? null;
  if (measured !== null) {
    return [energyTerm("cpu", measured, { formula: "RAPL packages", basis: "RAPL packages" })];
  }
  if (cpu === null) return [];
  const tdp = machineTdp(cpu);
  if (tdp === null) return [missingTerm("cpu", "the CPU's draw is not known (--tdp)")];
  return [
    powerTerm(
      "cpu",
      { watts: tdp * cpu.usage * cpu.share, hours },
      {
        formula: `TDP ${tdp} W x ${round(cpu.usage * cpu.share)} (${RATED})`,
        basis: `TDP ${tdp} W x usage`,
      },
    ),
  ];
}

function memoryTerms({ memoryGB, counters }: Workload): readonly Term[] {
  const measured = counters?.dram ?? null;
  if (measured !== null) {
    return [energyTerm("memory", measured, { formula: "RAPL DRAM", basis: "RAPL DRAM" })];
  }
  return memoryGB === null ? [] : [missingTerm("memory", "the paper measures DRAM by RAPL")];
}

function gpuTerms({ gpus, hours, counters }: Workload): readonly Term[] {
  const measured = counters?.gpu ?? null;
  if (gpus.length > 0 && measured !== null) {
    return [energyTerm("gpu", measured, { formula: "nvidia-smi", basis: "nvidia-smi power" })];
  }
  return gpus.map((gpu) =>
    gpu.tdp === null
      ? missingTerm("gpu", unknownGpu(gpu))
      : powerTerm(
          "gpu",
          { watts: gpu.count * gpu.tdp * (gpu.usage ?? 1), hours },
          {
            formula: `${gpu.count} x ${gpu.tdp} W x ${round(gpu.usage ?? 1)} (${RATED})`,
            basis: `TDP ${gpu.tdp} W x usage ${round(gpu.usage ?? 1)}`,
          },
        ),
  );
}
