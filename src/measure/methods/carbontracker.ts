// Carbontracker (L. F. Wolff Anthony, B. Kanding & R. Selvan, arXiv:2007.03051): mean power of RAPL
// and NVML over an epoch, times a PUE of 1.58 always; what is left is predicted from epochs seen.
// Without sensors it takes half of the CPU's TDP.

import { joules, mean, type Seconds, seconds } from "../../core/index.ts";
import {
  energyTerm,
  type Method,
  missingTerm,
  powerTerm,
  resultOf,
  standInIntensity,
  type Term,
} from "./method.ts";
import { machineTdp, type Workload } from "./workload.ts";

const CONSTANTS = {
  pue: { value: 1.58, unit: "1", source: "carbontracker/constants.py, PUE_2023 (Uptime 2023)" },
  cpuShare: { value: 0.5, unit: "1", source: "carbontracker, generic CPU: half of the TDP" },
  world: { value: 481, unit: "gCO2e/kWh", source: "carbontracker, WORLD_2019_CARBON_INTENSITY" },
  carKilometre: { value: 107.5, unit: "gCO2e/km", source: "carbontracker, new EU car of 2022" },
} as const;

export const carbontracker: Method = {
  name: "carbontracker",
  title: "Carbontracker",
  version: "2",
  scope: "facility",
  source: "Wolff Anthony, Kanding & Selvan 2020, arXiv:2007.03051; lfwa/carbontracker",
  constants: CONSTANTS,
  defects: [
    "a PUE of 1.58 is applied everywhere, on a laptop too",
    "RAPL is watched for 1 s of every reading, about half of the time",
    "a counter that wraps around is retried with the same two values and then counted as 0 W",
    "memory and board are left out",
    "the prediction has no interval and takes the first epoch, with its warm-up, for all",
  ],

  estimate(workload) {
    return resultOf({
      terms: [...cpuTerms(workload), ...gpuTerms(workload)],
      factors: [
        { name: "PUE", value: CONSTANTS.pue.value, basis: "PUE 1.58 always", constants: ["pue"] },
      ],
      intensity: standInIntensity(workload, "Electricity Maps, live"),
    });
  },
};

function cpuTerms({ cpu, hours, counters }: Workload): readonly Term[] {
  const measured = counters?.package ?? null;
  if (measured !== null) {
    return [energyTerm("cpu", measured, { formula: "RAPL packages", basis: "RAPL packages" })];
  }
  if (cpu === null) return [];
  const tdp = machineTdp(cpu);
  if (tdp === null) return [missingTerm("cpu", "neither RAPL nor the CPU's TDP is known (--tdp)")];
  return [
    powerTerm(
      "cpu",
      { watts: tdp * CONSTANTS.cpuShare.value, hours },
      {
        formula: `TDP ${tdp} W x 0.5`,
        basis: `TDP ${tdp} W x 0.5 always`,
        constants: ["cpuShare"],
      },
    ),
  ];
}

function gpuTerms({ gpus, counters }: Workload): readonly Term[] {
  if (gpus.length === 0) return [];
  const measured = counters?.gpu ?? null;
  return [
    measured === null
      ? missingTerm("gpu", "it reads GPU power from the driver and has no model of a GPU")
      : energyTerm("gpu", measured, { formula: "NVML power x time", basis: "NVML power" }),
  ];
}

/** Energy and time of all epochs from those that were watched: their means times the number. */
export function predictEpochs(
  watched: readonly { readonly energyJ: number; readonly durationS: Seconds }[],
  epochs: number,
) {
  return {
    energy: joules(epochs * mean(watched.map(({ energyJ }) => energyJ))),
    duration: seconds(epochs * mean(watched.map(({ durationS }) => durationS))),
  };
}

/** Kilometres of a new European car that emit as much. */
export const carKilometres = (gramsCO2e: number): number =>
  gramsCO2e / CONSTANTS.carKilometre.value;

/** Seconds for which a measured intensity is held before it is asked for again. */
const INTENSITY_PERIOD_S = 900;

/**
 * Intensity that its prediction uses: the mean of those measured and that forecast, the forecast
 * weighted by the periods of 900 s that are still to come.
 */
export function predictedIntensity(
  measured: readonly number[],
  forecast: { readonly intensity: number; readonly remainingS: number },
): number {
  const periods = Math.floor(forecast.remainingS / INTENSITY_PERIOD_S);
  const sum = measured.reduce((all, one) => all + one, 0) + forecast.intensity * periods;
  return sum / (measured.length + periods);
}
