// The Impact Framework (Green Software Foundation) with the curve of Teads (B. Davy, "Estimating AWS EC2
// Instances Power Consumption", Teads Engineering, 2021): TDP times a share that is read off four
// points, 0, 10, 50 and 100 % load, by straight lines.

import { gramsCO2e } from "../../core/index.ts";
import {
  answered,
  type Method,
  missingTerm,
  powerTerm,
  resultOf,
  round,
  standInIntensity,
  type Term,
} from "./method.ts";
import { machineTdp, type Workload } from "./workload.ts";

/** Load and share of the TDP. */
export const TEADS_CURVE = [
  [0, 0.12],
  [0.1, 0.32],
  [0.5, 0.75],
  [1, 1.02],
] as const;

const CONSTANTS = {
  idle: { value: 0.12, unit: "1", source: "Teads curve at 0 % load" },
  tenth: { value: 0.32, unit: "1", source: "Teads curve at 10 % load" },
  half: { value: 0.75, unit: "1", source: "Teads curve at 50 % load" },
  full: { value: 1.02, unit: "1", source: "Teads curve at 100 % load" },
  serverBase: { value: 1_000_000, unit: "gCO2e", source: "if, builtins/sci-embodied" },
  serverCpu: {
    value: 100_000,
    unit: "gCO2e",
    source: "if, builtins/sci-embodied, beyond the first",
  },
  serverLife: { value: 126_144_000, unit: "s", source: "if, builtins/sci-embodied: 4 years" },
} as const;

/** Share of the TDP at a load in 0..1, by straight lines between the points. */
export function teadsShare(load: number): number {
  for (const [at, [from, low]] of TEADS_CURVE.entries()) {
    const [to, high] = TEADS_CURVE[at + 1] ?? [from, low];
    if (load <= to && to > from) return low + ((high - low) * (load - from)) / (to - from);
  }
  return CONSTANTS.full.value;
}

export const impactFramework: Method = {
  name: "impact-framework",
  title: "Impact Framework, Teads curve",
  version: "1.1",
  scope: "component",
  source: "Davy 2021, Teads Engineering; Green-Software-Foundation/if",
  constants: CONSTANTS,
  defects: [
    "sci-embodied has the factors of SSD (50 kg) and HDD (100 kg) the wrong way round",
    "memory and GPUs count only if the manifest brings a coefficient",
    "SCI of no functional unit is the carbon itself, with a warning only",
  ],

  estimate(workload) {
    return resultOf({
      terms: [
        ...cpuTerms(workload),
        ...workload.gpus.map(() =>
          missingTerm("gpu", "the curve is for CPUs; a manifest has to bring one for GPUs"),
        ),
        ...(workload.memoryGB === null
          ? []
          : [missingTerm("memory", "a manifest has to bring a coefficient")]),
      ],
      factors:
        workload.pue === null
          ? []
          : [
              {
                name: "PUE",
                value: workload.pue,
                basis: `PUE ${workload.pue} as given`,
                constants: [],
              },
            ],
      intensity: standInIntensity(workload, "grid/carbon-intensity of the manifest"),
      embodied: embodiedOf(workload),
    });
  },
};

function cpuTerms({ cpu, hours }: Workload): readonly Term[] {
  if (cpu === null) return [];
  const tdp = machineTdp(cpu);
  if (tdp === null) return [missingTerm("cpu", "the CPU's TDP is not known (--tdp)")];
  const share = teadsShare(cpu.usage);
  return [
    powerTerm(
      "cpu",
      { watts: tdp * share * cpu.share, hours },
      {
        formula: `TDP ${tdp} W x ${round(share)} at ${round(cpu.usage * 100)} % load`,
        basis: `TDP ${tdp} W x Teads' curve`,
        constants: ["idle", "tenth", "half", "full"],
      },
    ),
  ];
}

/** Memory beyond 16 GB, kg/GB, and GPUs, kg: builtins/sci-embodied, after Cloud Carbon Footprint. */
const MAKING = { perGB: 533 / 384, memoryInBase: 16, gpu: 150 } as const;

function embodiedOf({ cpu, memoryGB, gpus, hours }: Workload) {
  const threads = cpu?.threads ?? 1;
  const memory = Math.max((memoryGB ?? MAKING.memoryInBase) - MAKING.memoryInBase, 0);
  const count = gpus.reduce((sum, each) => sum + each.count, 0);
  const { serverBase, serverCpu, serverLife } = CONSTANTS;
  const grams =
    serverBase.value +
    serverCpu.value * (threads - 1) +
    1000 * (memory * MAKING.perGB + count * MAKING.gpu);
  const part = (hours * 3600) / serverLife.value;
  return answered(gramsCO2e(grams * part * (cpu?.share ?? 1)), {
    formula: `${round(grams / 1000)} kg x ${round(hours)} h / 35040 h`,
    basis: "a four-year life, 100 kg for each further vCPU",
    constants: ["serverBase", "serverCpu", "serverLife"],
  });
}
