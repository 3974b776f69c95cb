// The Automatic AI Model Greenness Track Toolkit (Ant Group): joules of RAPL times the process's share
// of CPU time, joules of nvidia-smi's power, no PUE, 475 g/kWh. Its defects are off unless asked for.

import { carbonIntensity, type Joules, joules, type Seconds } from "../../core/index.ts";
import {
  answered,
  energyTerm,
  intensityOf,
  type Method,
  missingTerm,
  resultOf,
  round,
  type Term,
} from "./method.ts";
import type { Workload } from "./workload.ts";

const REPOSITORY = "alipay/Automatic_AI_Model_Greenness_Track_Toolkit, agent/core";

const CONSTANTS = {
  world: { value: 475, unit: "gCO2e/kWh", source: `${REPOSITORY}, default intensity` },
} as const;

export const greennessToolkit: Method = {
  name: "greenness-toolkit",
  title: "Automatic AI Model Greenness Track Toolkit",
  version: "484d23a (2023)",
  scope: "component",
  source: REPOSITORY,
  constants: CONSTANTS,
  defects: [
    "convert_gflops divides by 1e10 and labels GFLOPs: ten times too little",
    "RAPL energy is multiplied by the sampling period: right at 1 s only",
    "a wrapped counter loses one count; on AMD it mixes microjoules with raw counts",
    "the CO2Signal header is a set, not a mapping: the call cannot authenticate",
    "weights of unary operators are applied twice: Sigmoid counts 16, Tanh 25 per element",
    "depthwise convolution and AvgPool fall among binary operators and count wrongly or 0",
    "SAME padding divides downwards: odd sizes count too little",
  ],

  estimate(workload) {
    return resultOf({
      terms: [...cpuTerms(workload), ...gpuTerms(workload)],
      intensity: intensityOf(workload, () => {
        const basis = `${CONSTANTS.world.value} gCO2e/kWh, world`;
        const value = carbonIntensity(CONSTANTS.world.value);
        return answered(value, { formula: basis, basis, constants: ["world"] });
      }),
    });
  },
};

function cpuTerms({ cpu, counters }: Workload): readonly Term[] {
  const share = Math.min(cpu?.share ?? 1, 1);
  const measured = counters?.package ?? null;
  if (measured === null) {
    return cpu === null
      ? []
      : [missingTerm("cpu", "it reads RAPL registers and has no model of a CPU")];
  }
  const machine = measured + (counters?.dram ?? 0);
  return [
    energyTerm("cpu", joules(machine * share), {
      formula: `(RAPL packages + DRAM) ${round(machine)} J x share ${round(share)}`,
      basis: "RAPL x share of CPU time",
    }),
  ];
}

function gpuTerms({ gpus, counters }: Workload): readonly Term[] {
  const measured = counters?.gpu ?? null;
  if (measured !== null) {
    const grounds = { formula: "nvidia-smi power x time", basis: "nvidia-smi power" };
    return [energyTerm("gpu", measured, grounds)];
  }
  return gpus.length === 0
    ? []
    : [missingTerm("gpu", "it reads nvidia-smi and has no model of a GPU")];
}

/** Faults of the released arithmetic of a RAPL reading, each of which can be switched on. */
export type RaplDefect = "duration-factor" | "wrap-off-by-one";

export interface RaplReading {
  /** Counts before and after, of 32 bits. */
  readonly before: number;
  readonly after: number;
  /** Microjoules of a count. */
  readonly unit: number;
  readonly period: Seconds;
}

/** Bits of RAPL's energy status registers (Intel SDM, volume 3B, section 16.10). */
const COUNTER_MASK = 0xffff_ffff;

/** Energy between two readings of a RAPL register. */
export function raplEnergy(
  { before, after, unit, period }: RaplReading,
  defects: ReadonlySet<RaplDefect> = new Set(),
): Joules {
  const range = defects.has("wrap-off-by-one") ? COUNTER_MASK : COUNTER_MASK + 1;
  const counts = after < before ? after + range - before : after - before;
  const factor = defects.has("duration-factor") ? period : 1;
  return joules((counts * unit * factor) / 1e6);
}

/** GFLOPs as the toolkit prints them; the released one divides by ten times too much. */
export const toolkitGigaflops = (
  flops: number,
  { defect }: { readonly defect: boolean } = { defect: false },
): number => flops / (defect ? 10e9 : 1e9);

/** The CO2Signal request header: the released one has no field names and cannot authenticate. */
export const co2SignalHeaders = (
  key: string,
  { defect }: { readonly defect: boolean } = { defect: false },
): Readonly<Record<string, string>> => (defect ? {} : { "auth-token": key });
