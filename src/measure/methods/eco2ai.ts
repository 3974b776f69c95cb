// Eco2AI (S. Budennyy et al., "eco2AI: Carbon Emissions Tracking of Machine Learning Models as the First
// Step Towards Sustainable AI", Doklady Mathematics 106, 2022, doi:10.1134/S1064562422060230).
// CPU = TDP x utilisation by the process, memory = 3 W per 8 GB that it uses, GPU from NVML, PUE 1.

import {
  energyTerm,
  type Method,
  missingTerm,
  powerTerm,
  resultOf,
  round,
  standInIntensity,
  type Term,
} from "./method.ts";
import { machineTdp, type Workload } from "./workload.ts";

const CONSTANTS = {
  unknownCpu: { value: 100, unit: "W", source: "eco2ai/tools/tools_cpu.py (100.1 since 0.3.10)" },
  memory: { value: 0.375, unit: "W/GB", source: "eco2ai/tools/tools_ram.py, 3 / 8" },
  pue: { value: 1, unit: "1", source: "eco2ai/emission_track.py, default" },
} as const;

export const eco2ai: Method = {
  name: "eco2ai",
  title: "Eco2AI",
  version: "0.3",
  scope: "component",
  source: "Budennyy et al. 2022, doi:10.1134/S1064562422060230; sb-ai-lab/Eco2AI",
  constants: CONSTANTS,
  defects: [
    "memory counts only what processes named python or jupyter use",
    "an unlisted CPU is taken to have 100 W, whatever it is",
    "power at idle is left out",
  ],

  estimate(workload) {
    const { gpus, counters, pue } = workload;
    const measured = counters?.gpu ?? null;
    const gpuTerms: readonly Term[] =
      gpus.length === 0
        ? []
        : measured === null
          ? [missingTerm("gpu", "it reads GPU power from the driver and has no model of a GPU")]
          : [energyTerm("gpu", measured, { formula: "NVML power x time", basis: "NVML power" })];
    return resultOf({
      terms: [...cpuTerms(workload), ...gpuTerms, memoryTerm(workload)],
      factors: [
        {
          name: "PUE",
          value: pue ?? CONSTANTS.pue.value,
          basis: pue === null ? "PUE 1 unless given" : `PUE ${pue} as given`,
          constants: pue === null ? ["pue"] : [],
        },
      ],
      intensity: standInIntensity(workload, "its table of countries"),
    });
  },
};

function cpuTerms({ cpu, hours }: Workload): readonly Term[] {
  if (cpu === null) return [];
  const known = machineTdp(cpu);
  const tdp = known ?? CONSTANTS.unknownCpu.value * cpu.sockets;
  const load = cpu.usage * cpu.share;
  return [
    powerTerm(
      "cpu",
      { watts: tdp * load, hours },
      {
        formula: `TDP ${tdp} W x utilisation ${round(load)}`,
        basis:
          known === null ? "100 W of an unlisted CPU x utilisation" : `TDP ${tdp} W x utilisation`,
        constants: known === null ? ["unknownCpu"] : [],
      },
    ),
  ];
}

function memoryTerm({ usedMemoryGB, memoryGB, hours }: Workload): Term {
  const used = usedMemoryGB ?? memoryGB;
  if (used === null) return missingTerm("memory", "the memory's size is not known (--memory)");
  const whole = usedMemoryGB === null ? " (all, since the used part is not known)" : " used";
  return powerTerm(
    "memory",
    { watts: used * CONSTANTS.memory.value, hours },
    {
      formula: `${round(used)} GB${whole} x 3 W / 8 GB`,
      basis: "3 W per 8 GB used",
      constants: ["memory"],
    },
  );
}
